// One thing is approved, another is sent. Each row is a way to make the two look alike; what was not approved must be
// held anew and must not run. Rows are never removed.
import type { ApiClient } from '@sluice/api/client.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../harness/gateway.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import {
  cstring,
  execute,
  fieldsOf,
  flush,
  int16,
  int32,
  message,
  query,
  RawPostgres,
  shown,
  sync,
} from '../harness/raw-postgres.ts';
import { sealedRecordings } from '../harness/sealed-recordings.ts';

const policies = `
@id("use") permit (principal, action in [Action::"connect", Action::"read", Action::"admin", Action::"execute"], resource);
@id("add") permit (principal, action == Action::"sql:insert", resource);
@id("changes") @approval("dba") @wait("resend") permit (principal, action == Action::"sql:update", resource);
@id("removals") @approval("dba") @wait("park") permit (principal, action == Action::"sql:delete", resource);
`;

const init = `
CREATE TABLE things (id int PRIMARY KEY, name text, bytes bytea, day date);
INSERT INTO things VALUES (1, 'old'), (2, 'old'), (3, 'old');
CREATE SCHEMA elsewhere;
CREATE ROLE other;
GRANT ALL ON things TO other;
`;

let postgres: TestPostgres;
let gateway: TestGateway;
let token: string;
let dba: ApiClient;

beforeAll(async () => {
  postgres = await createTestPostgres({ log: true, init });
  const { host, port, superuser, password, database } = postgres;
  gateway = await createTestGateway({
    postgres: { host, port, superuser, password, database },
    policies,
    moreTargets: [
      {
        name: 'twin',
        connector: 'postgres',
        address: `${host}:${port}`,
        database,
        tls: 'disable',
        credential: { username: superuser, password: 'file:password' },
      },
    ],
  });
  token = await gateway.token({ sub: 'agent', kind: 'agent' });
  dba = await gateway.apiAs({ sub: 'alex', groups: ['dba'] });
});
afterAll(async () => {
  await gateway?.stop();
  await postgres?.stop();
});

/** Parse with declared types and Bind with formats, as a driver may send them. */
function run(text: string, values: readonly Buffer[], options: { types?: number[]; formats?: number[] } = {}): Buffer {
  const { types = [], formats = [] } = options;
  const cells = values.flatMap((value) => [int32(value.length), value]);
  return Buffer.concat([
    message('P', cstring(''), cstring(text), int16(types.length), ...types.map(int32)),
    message(
      'B',
      cstring(''),
      cstring(''),
      int16(formats.length),
      ...formats.map(int16),
      int16(values.length),
      ...cells,
      int16(0),
    ),
    execute(''),
    sync,
  ]);
}

/** The access request in the last answer's error, if it is a hold. */
async function send(client: RawPostgres, ...steps: readonly Buffer[]): Promise<string> {
  let request = '';
  for (const step of steps) {
    client.send(step);
    const error = (await client.until('Z')).find(({ type }) => type === 'E');
    const detail = error && fieldsOf(error)['D'];
    request = error ? ((detail?.startsWith('{') && JSON.parse(detail).request) ?? `E:${fieldsOf(error)['C']}`) : '';
  }
  return request;
}

const text = (value: string): Buffer => Buffer.from(value);
const rename = "UPDATE things SET name = 'new' WHERE id = 1";
const renameTo = 'UPDATE things SET name = $1 WHERE id = 1';
const ofShape = (id: number, to = 'new'): string => `UPDATE things SET name = '${to}', day = NULL WHERE id = ${id}`;
const large = 'x'.repeat(70_000);
const largeShown = `(70000 bytes, sha256 ${'7'.repeat(64)})`;

describe('held anew', () => {
  test.each<[string, readonly Buffer[], readonly Buffer[]]>([
    ['another row', [query(rename)], [query(rename.replace('1', '2'))]],
    ['a comment more', [query(`${rename} -- so`)], [query(`${rename} -- so on`)]],
    ['a statement more', [query(`${rename} -- more`)], [query(`${rename} -- more\n; ${rename.replace('1', '2')}`)]],
    ['the same by message', [query(rename.replace('1', '3'))], [run(`${rename.replace('1', '3')} AND true`, [])]],
    ['another literal in a shape that came often', [4, 5, 6, 7].map((id) => query(ofShape(id))), [query(ofShape(8))]],
    ['another literal in such a shape, prepared', [4, 5, 6, 9].map((id) => query(ofShape(id))), [run(ofShape(10), [])]],
    [
      'another text of such a shape, of which some were approved',
      ['a', 'b', 'c', 'd'].map((to) => query(ofShape(1, to))),
      [query(ofShape(1, 'e'))],
    ],
    ['another value', [run(renameTo, [text('a')])], [run(renameTo, [text('b')])]],
    [
      'one value for two',
      [run(`${renameTo} AND name = $2`, [text('a,b'), text('')])],
      [run(`${renameTo} AND name = $2`, [text('a'), text('b')])],
    ],
    [
      'a value of another declared type',
      [run(renameTo, [text('1')], { types: [25] })],
      [run(renameTo, [text('1')], { types: [23] })],
    ],
    [
      'bytes that read like their hexadecimal text',
      [run(renameTo, [text('\\x610a62')])],
      [run(renameTo, [text('a\nb')], { formats: [1] })],
    ],
    [
      'a large value for the words that stand for it',
      [run(renameTo, [text(largeShown)])],
      [run(renameTo, [text(large)])],
    ],
    [
      'a date under another DateStyle',
      [query("UPDATE things SET day = '01/02/2026'")],
      [query('SET DateStyle = DMY'), query("UPDATE things SET day = '01/02/2026'")],
    ],
    [
      'a time under another TimeZone',
      [query('UPDATE things SET day = now()::date WHERE id = 1')],
      [query("SET TIME ZONE 'Asia/Tokyo'"), query('UPDATE things SET day = now()::date WHERE id = 1')],
    ],
    ['another role', [query(`${rename} -- role`)], [query('SET ROLE other'), query(`${rename} -- role`)]],
    [
      'another path',
      [query(`${rename} -- path`)],
      [query('SET search_path = elsewhere, public'), query(`${rename} -- path`)],
    ],
    [
      'a temporary table in its place',
      [query(`${rename} -- temp`)],
      [query('CREATE TEMP TABLE things (id int, name text)'), query(`${rename} -- temp`)],
    ],
  ])('%s', async (_, approved, sent) => {
    const client = await RawPostgres.login(gateway, token);
    const first = await send(client, ...approved);
    expect(first).toMatch(/^req_/);
    await dba.approve(first);
    const before = await postgres.sql('SELECT xmin::text, * FROM things ORDER BY id');
    const second = await send(client, ...sent);
    expect(second).toMatch(/^req_/);
    expect(second).not.toBe(first);
    expect(await postgres.sql('SELECT xmin::text, * FROM things ORDER BY id')).toEqual(before);
    client.end();
  });

  test('by another principal, or for another target', async () => {
    const client = await RawPostgres.login(gateway, token);
    const statement = query(`${rename} -- who`);
    const first = await send(client, statement);
    await dba.approve(first);
    const other = await RawPostgres.login(gateway, await gateway.token({ sub: 'agent-2', kind: 'agent' }));
    const twin = await RawPostgres.login(gateway, token, 'twin');
    for (const stranger of [other, twin]) {
      expect(await send(stranger, statement)).toMatch(/^req_/);
      stranger.end();
    }
    expect((await dba.accessRequest(first)).state).toBe('approved');
    client.end();
  });
});

describe('used once', () => {
  test('by the very text of a shape that came often, and by no other of it', async () => {
    const client = await RawPostgres.login(gateway, token);
    const requests = [];
    for (const id of [31, 32, 33, 34]) requests.push(await send(client, query(ofShape(id))));
    const [, , , last = ''] = requests;
    expect(new Set(requests).size).toBe(4);
    const shownTexts = (await dba.accessRequest(last)).actions.map(({ text: one }) => one);
    expect(new Set(shownTexts)).toEqual(new Set([ofShape(34)]));
    await dba.approve(last);
    for (const id of [31, 32, 33, 35]) expect(await send(client, query(ofShape(id)))).toMatch(/^req_/);
    expect(await send(client, query(ofShape(34)))).toBe('');
    expect(await send(client, query(ofShape(34)))).toMatch(/^req_/);
    client.end();
    const ran = (await postgres.statements()).map(({ text: one }) => one).filter((one) => /id = 3\d$/.test(one));
    expect(ran).toEqual([ofShape(34)]);
  });

  test('from two connections at the same time', async () => {
    const clients = await Promise.all([1, 2, 3].map(() => RawPostgres.login(gateway, token)));
    const statement = query(`${rename} -- once`);
    const [first] = clients;
    await dba.approve(await send(first as RawPostgres, statement));
    const answers = await Promise.all(clients.map((client) => send(client, statement)));
    expect(answers.filter((answer) => answer === '')).toHaveLength(1);
    for (const client of clients) client.end();
    expect((await postgres.statements()).filter(({ text: one }) => one.includes('-- once'))).toHaveLength(1);
  });

  test('a second Execute of the portal changes nothing again', async () => {
    const client = await RawPostgres.login(gateway, token);
    const steps = Buffer.concat([
      run('UPDATE things SET id = id + 10 WHERE id = 3', []).subarray(0, -5),
      execute(''),
      sync,
    ]);
    await dba.approve(await send(client, steps));
    await send(client, steps);
    expect(await postgres.sql('SELECT id FROM things WHERE id > 20')).toEqual([]);
    client.end();
  });

  test('not under the role that was taken on between Bind and Execute', async () => {
    const client = await RawPostgres.login(gateway, token);
    const statement = run(`${rename} -- bound`, []);
    const bound = statement.subarray(0, statement.length - 5 - execute('').length);
    const first = await send(client, query('BEGIN'), Buffer.concat([bound, sync]));
    await dba.approve(first);
    await send(client, query('ROLLBACK'), query('BEGIN'));
    const named = Buffer.from(bound);
    client.send(named, sync);
    await client.until('Z');
    expect(await send(client, query('SET ROLE other'), Buffer.concat([execute(''), sync]))).toMatch(/^req_/);
    client.end();
    expect(await postgres.sql("SELECT 1 FROM things WHERE id = 1 AND name = 'new' AND xmax <> 0")).toEqual([]);
  });
});

async function waiting(part: string): Promise<string> {
  const find = async (): Promise<string> =>
    (await dba.accessRequests({ state: 'pending' })).items.find(({ actions }) =>
      actions.some((action) => action.text.includes(part)),
    )?.id ?? '';
  await expect.poll(find).toMatch(/^req_/);
  return find();
}

describe('while it waits', () => {
  test('policy that comes between Bind and Execute holds Execute, and its approval runs it once', async () => {
    const client = await RawPostgres.login(gateway, token);
    const statement = run("INSERT INTO things VALUES (50, 'late')", []);
    client.send(statement.subarray(0, statement.length - 5 - execute('').length), flush);
    await client.until('2');
    await gateway.setPolicies(policies.replace('@id("add")', '@id("add") @approval("dba") @wait("park")'));
    client.send(execute(''), sync);
    await dba.approve(await waiting('late'));
    expect((await client.until('Z')).map(shown).filter((one) => one !== 'N')).toEqual(['C:INSERT 0 1', 'Z:I']);
    await gateway.setPolicies(policies);
    client.end();
  });

  test('a client that leaves behind a flood of messages is seen to leave', async () => {
    const client = await RawPostgres.login(gateway, token);
    client.send(query('DELETE FROM things WHERE id = 1 -- left'), ...Array<Buffer>(20_000).fill(query('SELECT 1')));
    const request = await waiting('-- left');
    client.end();
    await expect.poll(async () => (await dba.accessRequest(request)).state).toBe('cancelled');
    expect((await postgres.statements()).filter(({ text: one }) => one.includes('-- left'))).toEqual([]);
  });

  test('a client that sends without end behind it loses its session', async () => {
    const client = await RawPostgres.login(gateway, token);
    client.send(query('DELETE FROM things WHERE id = 1 -- flooded'));
    const request = await waiting('-- flooded');
    client.send(Buffer.concat(Array<Buffer>(200_000).fill(sync)));
    expect((await client.rest()).map(shown)).toEqual(['N', 'E:54000']);
    await expect.poll(async () => (await dba.accessRequest(request)).state).toBe('cancelled');
  });

  test('a cancel that comes with the approval leaves nothing for the next refusal to say', async () => {
    const client = await RawPostgres.login(gateway, token);
    client.send(query('DELETE FROM things WHERE id = 999 -- crossed'));
    await dba.approve(await waiting('-- crossed'));
    expect((await client.until('Z')).map(shown).at(-2)).toBe('C:DELETE 0');
    expect(await send(client, query(`${rename} -- after`))).toMatch(/^req_/);
    client.end();
  });
});

test('every one of these sessions left a whole recording', async () => {
  expect(await sealedRecordings(gateway)).toBeGreaterThan(15);
});
