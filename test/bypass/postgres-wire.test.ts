// Evasions on the wire: each row says what must come of it. Rows are never removed.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../harness/gateway.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import {
  bind,
  cancelRequest,
  cellsOf,
  close,
  cstring,
  describe as describeMessage,
  execute,
  fieldsOf,
  flush,
  gssRequest,
  int16,
  int32,
  message,
  parse,
  query,
  type RawMessage,
  RawPostgres,
  shown,
  sslRequest,
  startup,
  sync,
} from '../harness/raw-postgres.ts';

const policies = `
@id("connect") permit (principal, action in Action::"connect", resource);
@id("read") permit (principal, action in Action::"read", resource);
@id("write") permit (principal, action in Action::"write", resource);
@id("operate") permit (principal in Group::"operators", action, resource);
@id("no-drop") @reason("Tables are never dropped here")
forbid (principal, action == Action::"sql:drop", resource);
`;

let postgres: TestPostgres;
let gateway: TestGateway;
let token: string;

beforeAll(async () => {
  postgres = await createTestPostgres({ log: true, init: 'CREATE TABLE t (id int PRIMARY KEY, name text)' });
  gateway = await createTestGateway({ postgres, policies, tls: true });
  token = await gateway.token({ sub: 'agent', kind: 'agent' });
});
afterAll(async () => {
  await gateway?.stop();
  await postgres?.stop();
});

async function login(): Promise<RawPostgres> {
  return RawPostgres.login(gateway, token);
}

async function exchange(...parts: readonly Uint8Array[]): Promise<string[]> {
  const client = await login();
  client.send(...parts);
  const seen = (await client.until('Z')).map(shown);
  client.end();
  return seen;
}

async function executed(pattern: RegExp): Promise<string[]> {
  return (await postgres.statements()).map(({ text }) => text).filter((text) => pattern.test(text));
}

describe('before the session', () => {
  test('bytes sent before TLS is up end the connection', async () => {
    const client = await RawPostgres.open(gateway.host, gateway.port);
    client.send(sslRequest, startup({ user: 'anyone', database: 'shop' }));
    const answers = await client.rest();
    expect(answers.map(shown)).toEqual(['E:08P01']);
  });

  test('TLS asked for twice is refused', async () => {
    const client = await RawPostgres.open(gateway.host, gateway.port);
    client.send(sslRequest);
    expect(await client.byte()).toBe('S');
    await client.startTls();
    client.send(sslRequest);
    expect((await client.rest()).map(shown)).toEqual(['E:08P01']);
  });

  test('GSS encryption is declined and TLS then still works', async () => {
    const client = await RawPostgres.open(gateway.host, gateway.port);
    client.send(gssRequest);
    expect(await client.byte()).toBe('N');
    client.send(sslRequest);
    expect(await client.byte()).toBe('S');
    await client.startTls();
    client.send(startup({ user: 'anyone', database: 'shop' }));
    expect((await client.until('R')).map(shown)).toEqual(['R']);
    client.end();
  });

  test('TLS from the first byte needs the protocol to be negotiated', async () => {
    const client = await RawPostgres.open(gateway.host, gateway.port);
    await client.startTls({ alpn: ['postgresql'] });
    client.send(startup({ user: 'anyone', database: 'shop' }));
    expect((await client.until('R')).map(shown)).toEqual(['R']);
    client.end();
    const other = await RawPostgres.open(gateway.host, gateway.port);
    await other.startTls().catch(() => undefined);
    other.send(startup({ user: 'anyone', database: 'shop' }));
    expect((await other.rest()).map(({ type }) => type)).not.toContain('R');
  });

  test.each([
    ['search_path', { search_path: 'evil' }, '0A000'],
    ['options', { options: '-c search_path=evil' }, '0A000'],
    ['role', { role: 'postgres' }, '0A000'],
    ['replication', { replication: 'database' }, '0A000'],
    ['another encoding', { client_encoding: 'SJIS' }, '22023'],
    ['other string rules', { standard_conforming_strings: 'off' }, '0A000'],
  ])('the startup parameter %s is refused', async (_, parameters, code) => {
    const client = await RawPostgres.open(gateway.host, gateway.port);
    client.send(startup({ user: 'anyone', database: 'shop', ...parameters }));
    expect((await client.rest()).map(shown)).toEqual([`E:${code}`]);
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['a wrong token', cstring('x.y.z')],
    ['an empty password', cstring('')],
    ['no terminator', Buffer.from('abc')],
  ])('%s for a password ends in the one refusal', async (_, password) => {
    const client = await RawPostgres.open(gateway.host, gateway.port);
    client.send(startup({ user: 'anyone', database: 'shop' }));
    await client.until('R');
    client.send(message('p', password));
    const [refusal] = await client.rest();
    expect(['28P01', '08P01']).toContain(refusal && fieldsOf(refusal)['C']);
  });

  test.each([
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n')],
    ['zeros', Buffer.alloc(64)],
    ['ones', Buffer.alloc(64, 0xff)],
    ['a huge startup packet', Buffer.concat([int32(0x7fffffff), Buffer.alloc(100)])],
    ['protocol 2', startup({ user: 'x' }, 2 << 16)],
    ['a query first', query('select 1')],
  ])('%s on the port ends that connection and nothing else', async (_, bytes) => {
    const client = await RawPostgres.open(gateway.host, gateway.port);
    client.send(bytes);
    const answers = await client.rest();
    expect(answers.every(({ type }) => type === 'E')).toBe(true);
    expect(await exchange(query('select 1'))).toEqual(['T', 'D', 'C:SELECT 1', 'Z:I']);
  });
});

describe('messages', () => {
  test('a function call by message is refused and the session goes on', async () => {
    const call = message('F', int32(2026), int16(0), int16(0), int16(0));
    expect(await exchange(call)).toEqual(['E:0A000', 'Z:I']);
  });

  test.each([
    ['an unknown type', message('y', Buffer.alloc(4))],
    ['a server message', message('Z', Buffer.from('I'))],
    ['a password again', message('p', cstring('x'))],
    ['a second startup packet', startup({ user: 'x', database: 'shop' })],
    ['a negative length', Buffer.from([0x51, 0xff, 0xff, 0xff, 0xf0])],
    ['a length that wraps', Buffer.from([0x51, 0x80, 0x00, 0x00, 0x04])],
    ['a length above the cap', Buffer.from([0x42, 0x7f, 0xff, 0xff, 0xff])],
    ['a statement with a NUL inside', message('Q', Buffer.from('select 1\0; drop table t\0'))],
    ['a query without its end', message('Q', Buffer.from('select 1'))],
    [
      'a Bind that claims more values than it has',
      message('B', cstring(''), cstring(''), int16(0), int16(5), int16(0)),
    ],
  ])('%s ends the session', async (_, bytes) => {
    const client = await login();
    client.send(bytes);
    const answers = await client.rest();
    expect(answers.map(shown)).toEqual(['E:08P01']);
    expect(await executed(/drop table t/i)).toEqual([]);
  });

  test('copy data that nobody waits for is dropped', async () => {
    expect(await exchange(message('d', Buffer.from('1\tx\n')), message('c'), query('select 1'))).toEqual([
      'T',
      'D',
      'C:SELECT 1',
      'Z:I',
    ]);
  });

  test('text that is not UTF-8 is refused and the session goes on', async () => {
    expect(await exchange(message('Q', Buffer.from([0x73, 0xff, 0x00])))).toEqual(['E:22021', 'Z:I']);
  });

  test('a statement above the limit is refused whole and the session goes on', async () => {
    const client = await login();
    client.send(query(`select '${'x'.repeat(10_000_000)}'`), query('select 1'));
    expect((await client.until('Z')).map(shown)).toEqual(['E:54000', 'Z:I']);
    expect((await client.until('Z')).map(shown)).toEqual(['T', 'D', 'C:SELECT 1', 'Z:I']);
    client.end();
  });
});

describe('order', () => {
  test('a refused query says why, natively', async () => {
    const client = await login();
    client.send(query('drop table t'));
    const [error, ready] = await client.until('Z');
    expect(ready && shown(ready)).toBe('Z:I');
    const fields = fieldsOf(error as RawMessage);
    expect(fields).toMatchObject({ S: 'ERROR', C: '42501', M: 'Tables are never dropped here' });
    expect(JSON.parse(fields['D'] ?? '')).toEqual({
      decision: 'deny',
      policies: ['no-drop'],
      request: null,
      url: null,
    });
    expect(fields['H']).toBeTruthy();
    client.end();
  });

  test('a refusal never overtakes what was asked before it', async () => {
    const client = await login();
    client.send(
      query("select 'slow', count(*) from generate_series(1, 300000)"),
      query('drop table t'),
      query("select 'last'"),
    );
    expect((await client.until('Z')).map(shown)).toEqual(['T', 'D', 'C:SELECT 1', 'Z:I']);
    expect((await client.until('Z')).map(shown)).toEqual(['E:42501', 'Z:I']);
    expect((await client.until('Z')).map(shown)).toEqual(['T', 'D', 'C:SELECT 1', 'Z:I']);
    client.end();
  });

  test('a refusal aborts the transaction, and its status is the true one', async () => {
    const client = await login();
    client.send(query('begin'), query('drop table t'), query('select 1'), query('drop table t'), query('rollback'));
    const statuses: string[] = [];
    for (let left = 5; left > 0; left--) statuses.push((await client.until('Z')).map(shown).join(' '));
    expect(statuses).toEqual(['C:BEGIN Z:T', 'E:42501 Z:E', 'E:25P02 Z:E', 'E:42501 Z:E', 'C:ROLLBACK Z:I']);
    client.end();
  });

  test('one refused statement of several keeps all of them from running', async () => {
    expect(await exchange(query("insert into t values (900, 'multi'); drop table t"))).toEqual(['E:42501', 'Z:I']);
    expect(await postgres.sql('select 1 from t where id = 900')).toEqual([]);
  });

  test('the statement behind a refused one in a pipeline is skipped up to Sync', async () => {
    const seen = await exchange(
      parse('', 'select 1'),
      bind('', ''),
      execute(''),
      parse('', 'drop table t'),
      bind('', ''),
      execute(''),
      parse('', "select 'never'"),
      bind('', ''),
      execute(''),
      sync,
    );
    expect(seen).toEqual(['1', '2', 'D', 'C:SELECT 1', 'E:42501', 'Z:I']);
    expect(await executed(/never|drop table t/i)).toEqual([]);
  });

  test('a refusal in a pipeline undoes what the pipeline did, as the server would', async () => {
    const seen = await exchange(
      parse('', "insert into t values (901, 'pipeline')"),
      bind('', ''),
      execute(''),
      parse('', 'drop table t'),
      bind('', ''),
      execute(''),
      sync,
    );
    expect(seen).toEqual(['1', '2', 'C:INSERT 0 1', 'E:42501', 'Z:I']);
    expect(await postgres.sql('select 1 from t where id = 901')).toEqual([]);
  });

  test('after Sync a pipeline starts afresh', async () => {
    const client = await login();
    client.send(
      parse('', 'drop table t'),
      bind('', ''),
      execute(''),
      sync,
      parse('', 'select 2'),
      bind('', ''),
      execute(''),
      sync,
    );
    expect((await client.until('Z')).map(shown)).toEqual(['E:42501', 'Z:I']);
    expect((await client.until('Z')).map(shown)).toEqual(['1', '2', 'D', 'C:SELECT 1', 'Z:I']);
    client.end();
  });

  test('Flush brings the answers so far without a Sync', async () => {
    const client = await login();
    client.send(parse('s', 'select 1'), describeMessage('S', 's'), flush);
    expect((await client.until('T')).map(shown)).toEqual(['1', 't', 'T']);
    client.send(bind('', 's'), execute(''), sync);
    expect((await client.until('Z')).map(shown)).toEqual(['2', 'D', 'C:SELECT 1', 'Z:I']);
    client.end();
  });
});

describe('names', () => {
  test('a name whose second Parse was refused still means the first', async () => {
    const client = await login();
    client.send(parse('s', "select 'first'"), sync, parse('s', 'drop table t'), sync, bind('', 's'), execute(''), sync);
    await client.until('Z');
    expect((await client.until('Z')).map(shown)).toEqual(['E:42501', 'Z:I']);
    const seen = await client.until('Z');
    expect(seen.filter(({ type }) => type === 'D').map(cellsOf)).toEqual([['first']]);
    client.end();
  });

  test('a name that the server refused to give again is judged as what it is', async () => {
    const client = await login();
    client.send(parse('s', "select 'first'"), sync, parse('s', "select 'second'"), sync);
    await client.until('Z');
    expect((await client.until('Z')).map(shown)).toEqual(['E:42P05', 'Z:I']);
    client.send(bind('', 's'), execute(''), sync);
    const seen = await client.until('Z');
    expect(seen.filter(({ type }) => type === 'D').map(cellsOf)).toEqual([['first']]);
    client.end();
  });

  test.each([
    ['a statement', [bind('', 'nobody'), sync], '26000'],
    ['a portal', [execute('nobody'), sync], '34000'],
    ['a closed statement', [parse('c', 'select 1'), close('S', 'c'), bind('', 'c'), sync], '26000'],
  ])('%s that does not exist is refused', async (_, parts, code) => {
    const seen = await exchange(...parts);
    expect(seen.slice(-2)).toEqual([`E:${code}`, 'Z:I']);
  });

  test('a cursor cannot be run by message under its name', async () => {
    const client = await login();
    client.send(query('begin'), query('declare c cursor for select 1'), execute('c'), sync);
    await client.until('Z');
    await client.until('Z');
    expect((await client.until('Z')).map(shown)).toEqual(['E:0A000', 'Z:E']);
    client.end();
  });

  test('policy that is tightened between Bind and Execute decides Execute', async () => {
    const client = await login();
    client.send(parse('', "insert into t values (902, 'late')"), bind('', ''), flush);
    await client.until('2');
    await gateway.setPolicies(policies.replace('@id("write") permit', '@id("write") forbid'));
    client.send(execute(''), sync);
    expect((await client.until('Z')).map(shown)).toEqual(['E:42501', 'Z:I']);
    await gateway.setPolicies(policies);
    expect(await postgres.sql('select 1 from t where id = 902')).toEqual([]);
    client.end();
  });
});

describe('cancel', () => {
  async function loginWithKey(): Promise<{ client: RawPostgres; pid: number; secret: Buffer }> {
    const client = await RawPostgres.open(gateway.host, gateway.port);
    client.send(startup({ user: 'anyone', database: 'shop' }));
    await client.until('R');
    client.send(message('p', cstring(token)));
    const key = (await client.until('Z')).find(({ type }) => type === 'K');
    if (!key) throw new Error('no key');
    return { client, pid: key.body.readInt32BE(0), secret: key.body.subarray(4) };
  }

  async function cancel(pid: number, secret: Buffer): Promise<void> {
    const other = await RawPostgres.open(gateway.host, gateway.port);
    other.send(cancelRequest(pid, secret));
    await other.rest();
  }

  test('its key ends the statement, a guessed one does nothing', async () => {
    const { client, pid, secret } = await loginWithKey();
    const running = 'select count(*) from generate_series(1, 1000000000)';
    client.send(query(running));
    while ((await executed(/1000000000/)).length === 0) await new Promise((resolve) => setImmediate(resolve));
    const guessed = Buffer.from(secret.map((byte) => byte ^ 1));
    await cancel(pid, guessed);
    await cancel(pid + 1, secret);
    expect(
      (await postgres.sql("select 1 from pg_stat_activity where query like '%1000000000)' and state = 'active'"))
        .length,
    ).toBe(1);
    await cancel(pid, secret);
    expect((await client.until('Z')).map(shown).at(-2)).toBe('E:57014');
    client.end();
  });

  test("is not the server's own key", async () => {
    const { client, pid } = await loginWithKey();
    const backends = await postgres.sql<{ pid: number }>('select pid from pg_stat_activity');
    expect(backends.map((backend) => backend.pid)).not.toContain(pid);
    client.end();
  });
});
