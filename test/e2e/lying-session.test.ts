// Upstreams that lie in the middle of a session: what they say instead of an answer ends that session with a proper
// error, masks nothing less for it, and leaves a recording that verifies.
import { runCommand } from '@sluice/cli/testing/command.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../harness/gateway.ts';
import { createLyingRelay, type HostileUpstream, type Lie } from '../harness/hostile-upstream.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import {
  bind,
  cellsOf,
  cstring,
  execute,
  fieldsOf,
  int16,
  int32,
  message,
  parse,
  query,
  type RawMessage,
  RawPostgres,
  shown,
  startup,
  sync,
} from '../harness/raw-postgres.ts';

const secret = 'ada@example.com';
let postgres: TestPostgres;
let relay: HostileUpstream;
let gateway: TestGateway;
let token: string;
/** Statements of the gateway's own that get no answer now. */
let swallowed: { readonly pattern: RegExp; readonly met: () => void } | undefined;

const column = (name: string, table = 0, attribute = 0): Buffer =>
  Buffer.concat([cstring(name), int32(table), int16(attribute), int32(25), int16(-1), int32(-1), int16(0)]);
const shape = (...columns: Buffer[]): Buffer => message('T', int16(columns.length), ...columns);
const row = (...cells: string[]): Buffer =>
  message('D', int16(cells.length), ...cells.flatMap((cell) => [int32(Buffer.byteLength(cell)), Buffer.from(cell)]));
const tag = message('C', cstring('SELECT 1'));
const ready = message('Z', Buffer.from('I'));
const one = shape(column('a'));
const parameter = (name: string, value: string): Buffer => message('S', cstring(name), cstring(value));
const fields = Buffer.from('SERROR\0C22000\0Mno end');

/** Every one of them must end the session with 08P01; what it says behind the lie must not arrive. */
const lies: Readonly<Record<string, Buffer>> = {
  'columns-without-body': message('T', int16(-1)),
  'columns-and-more': message('T', int16(1), column('a'), Buffer.from('more')),
  'more-cells-than-columns': Buffer.concat([one, row(secret, secret), tag, ready]),
  'fewer-cells-than-columns': Buffer.concat([shape(column('a'), column('b')), row(secret), tag, ready]),
  'a-cell-longer-than-its-row': Buffer.concat([
    one,
    message('D', int16(1), int32(1_000), Buffer.from(secret)),
    tag,
    ready,
  ]),
  'a-cell-of-negative-length': Buffer.concat([one, message('D', int16(1), int32(-2), Buffer.from(secret)), tag, ready]),
  'a-row-longer-than-its-cells': Buffer.concat([
    one,
    message('D', int16(1), int32(-1), Buffer.from(secret)),
    tag,
    ready,
  ]),
  'a-row-without-count': Buffer.concat([one, message('D'), tag, ready]),
  'a-row-without-columns': Buffer.concat([row(secret), tag, ready]),
  'columns-twice': Buffer.concat([one, one, row(secret), tag, ready]),
  'ready-at-once': ready,
  'ready-in-the-middle': Buffer.concat([one, row('x'), ready]),
  'complete-twice': Buffer.concat([one, row('x'), tag, tag, ready]),
  'an-empty-query': Buffer.concat([message('I'), ready]),
  'an-unknown-state': Buffer.concat([tag, message('Z', Buffer.from('?'))]),
  'another-encoding': Buffer.concat([parameter('client_encoding', 'SJIS'), one, row('x'), tag, ready]),
  'other-string-rules': Buffer.concat([parameter('standard_conforming_strings', 'off'), one, tag, ready]),
  'an-error-without-end': message('E', fields),
  'a-notice-without-end': message('N', fields),
  'copy-both': message('W', Buffer.from([0, 0, 0])),
  'copy-in': message('G', Buffer.from([0, 0, 0])),
  'copy-out': Buffer.concat([message('H', Buffer.from([0, 0, 0])), message('d', Buffer.from(secret)), message('c')]),
  'copy-data': message('d', Buffer.from(secret)),
  'a-login-again': message('R', int32(3)),
  'another-key': message('K', int32(1), int32(2)),
  'a-parse-complete': message('1'),
  'a-bind-complete': message('2'),
  'no-data': message('n'),
  'a-suspended-portal': message('s'),
  'a-function-result': message('V', int32(-1)),
  'an-unknown-type': message('~'),
  'a-frontend-message': message('Q', cstring('drop table t')),
  'a-negative-length': Buffer.concat([Buffer.from('D'), int32(-1)]),
  'a-length-without-itself': Buffer.concat([Buffer.from('T'), int32(3)]),
  'a-huge-shape': Buffer.concat([Buffer.from('T'), int32(0x7fffffff)]),
};

const disconnects: Readonly<Record<string, Lie>> = {
  'gone-at-once': (socket) => socket.destroy(),
  'gone-in-a-row': (socket) => socket.end(Buffer.concat([one, row(secret).subarray(0, 9)])),
  'gone-between-rows': (socket) => socket.end(Buffer.concat([one, row('x')])),
};

beforeAll(async () => {
  postgres = await createTestPostgres({
    init: `CREATE TABLE t (id int, email text, note text); INSERT INTO t VALUES (1, '${secret}', 'x')`,
  });
  const [found] = await postgres.sql<{ oid: number }>("SELECT 't'::regclass::oid::int AS oid");
  const email = column('email', found?.oid, 2);
  relay = await createLyingRelay(
    postgres,
    {
      ...lies,
      ...disconnects,
      'labelled-and-more': Buffer.concat([shape(email), row(secret, secret), tag, ready]),
      'labelled-elsewhere': Buffer.concat([shape(column('email', 999_999, 1)), row(secret), tag, ready]),
      'error-with-data': Buffer.concat([
        message('E', cstring('SERROR'), cstring('C22P02'), cstring(`Minvalid: ${secret}`), Buffer.from([0])),
        ready,
      ]),
    },
    (text) => {
      if (!swallowed?.pattern.test(text)) return false;
      swallowed.met();
      return true;
    },
  );
  gateway = await createTestGateway({
    postgres: { ...postgres, port: relay.port },
    labels: { pii: ['shop.public.t.email'] },
    moreTargets: [
      {
        name: 'not-seen-yet',
        connector: 'postgres',
        address: `127.0.0.1:${relay.port}`,
        database: 'postgres',
        tls: 'disable',
        credential: { username: 'postgres', password: 'file:password' },
      },
    ],
    policies: '@id("all") permit (principal, action in [Action::"connect", Action::"read"], resource);',
  });
  token = await gateway.token({ sub: 'agent', kind: 'agent' });
});
afterAll(async () => {
  await gateway?.stop();
  await relay?.stop();
  await postgres?.stop();
});

async function told(name: string, from = ''): Promise<RawMessage[]> {
  const client = await RawPostgres.login(gateway, token);
  client.send(query(`SELECT 'lie:${name}' ${from}`));
  return client.rest();
}

async function works(): Promise<void> {
  const client = await RawPostgres.login(gateway, token);
  client.send(query('SELECT id FROM t'));
  expect((await client.until('Z')).filter(({ type }) => type === 'D').map(cellsOf)).toEqual([['1']]);
  client.end();
}

describe('a database that answers a statement with', () => {
  test.each(Object.keys(lies))('%s', async (name) => {
    const seen = await told(name);
    expect(shown(seen.at(-1) as RawMessage)).toBe('E:08P01');
    expect(fieldsOf(seen.at(-1) as RawMessage)).toMatchObject({ S: 'FATAL', M: expect.stringContaining('database') });
    expect(seen.filter(({ type }) => type === 'E')).toHaveLength(1);
    expect(Buffer.concat(seen.map(({ body }) => body)).includes(secret)).toBe(false);
  });

  test.each(Object.keys(disconnects))('a closed connection: %s', async (name) => {
    const seen = await told(name);
    expect(shown(seen.at(-1) as RawMessage)).toBe('E:08006');
    await works();
  });

  test('an answer to what nobody asked', async () => {
    const client = await RawPostgres.login(gateway, token);
    client.send(parse('', "SELECT 'x'"), bind('', ''), execute(''), sync);
    await client.until('Z');
    client.send(query("SELECT 'lie:ready-at-once'"));
    expect((await client.rest()).map(shown)).toEqual(['E:08P01']);
  });
});

describe('a labelled value', () => {
  test.each(['labelled-and-more', 'labelled-elsewhere'])('is not got out by %s', async (name) => {
    const client = await RawPostgres.login(gateway, token);
    client.send(query(`SELECT email FROM t /* lie:${name} */`), message('X'));
    const bytes = Buffer.concat((await client.rest()).map(({ body }) => body));
    expect(bytes.includes(secret)).toBe(false);
  });

  test('is scrubbed out of an error', async () => {
    const client = await RawPostgres.login(gateway, token);
    client.send(query('SELECT email FROM t /* lie:error-with-data */'), message('X'));
    const seen = await client.rest();
    expect(seen.map(shown)).toEqual(['E:22P02', 'Z:I']);
    expect(seen[0]?.body.includes(secret)).toBe(false);
  });
});

describe('a database that says nothing more', { timeout: 60_000 }, () => {
  const silences: readonly (readonly [string, RegExp, string])[] = [
    ['about the session', /current_schemas/, 'shop'],
    ['about its catalog', /xmin/, 'not-seen-yet'],
  ];
  const answers = new Map<string, RawMessage[]>();

  /** Each is bounded by itself, so they wait side by side; the second begins when the first has met its silence. */
  beforeAll(async () => {
    const waiting: Promise<unknown>[] = [];
    for (const [name, pattern, database] of silences) {
      const met = new Promise<void>((resolve) => {
        swallowed = { pattern, met: resolve };
      });
      const client = await RawPostgres.open(gateway.host, gateway.port);
      client.send(startup({ user: 'anyone', database }));
      await client.until('R');
      client.send(message('p', cstring(token)));
      waiting.push(client.rest().then((seen) => answers.set(name, seen)));
      await met;
    }
    await Promise.all(waiting);
    swallowed = undefined;
  });

  test.each(silences)('%s keeps a login waiting for a bounded time only', async (name) => {
    expect(answers.get(name)?.map(shown)).toEqual(['E:08006']);
    await works();
  });
});

test('the gateway lives, no session is left, and every recording verifies', async () => {
  await works();
  const api = await gateway.apiAs({ sub: 'agent', kind: 'agent' });
  await expect.poll(async () => (await api.sessions({ live: true })).items).toEqual([]);
  const verified = await runCommand(['audit', 'verify', gateway.dir], { cwd: gateway.dir });
  expect(verified, verified.stdout + verified.stderr).toMatchObject({ code: 0 });
});
