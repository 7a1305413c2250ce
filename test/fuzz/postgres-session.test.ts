// Random conversations on the wire, against a real server: what is allowed goes as if the gateway were not there, what
// is forbidden never arrives, and nothing that a client sends ends more than its own session.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../harness/gateway.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import {
  bind,
  close,
  cstring,
  describe as describeMessage,
  execute,
  flush,
  message,
  parse,
  query,
  type RawMessage,
  RawPostgres,
  shown,
  startup,
  sync,
} from '../harness/raw-postgres.ts';

const policies = `
@id("all") permit (principal, action, resource);
@id("no-drop") forbid (principal, action == Action::"sql:drop", resource);
`;

const tables = 'CREATE TABLE t (id int PRIMARY KEY, name text); CREATE TABLE secret (id int)';

let postgres: TestPostgres;
let gateway: TestGateway;
let token: string;

beforeAll(async () => {
  postgres = await createTestPostgres({
    log: true,
    auth: 'password',
    init: tables,
  });
  // The same tables twice, so that one conversation does not see what the other did.
  await postgres.sql('CREATE DATABASE twin');
  await onTwin(tables);
  gateway = await createTestGateway({ postgres, policies });
  token = await gateway.token({ sub: 'agent', kind: 'agent' });
});
afterAll(async () => {
  await gateway?.stop();
  await postgres?.stop();
});

/** What changes the meaning of names, and then more without a Sync: refused, on purpose; from there on they differ. */
const sendSeparately = 'E:0A000';

/** Conversations whose answers once differed from the server's own. */
const found: Buffer[][] = [
  [query('prepare a as select 2'), describeMessage('S', 'a')],
  [query('prepare a as select 2'), close('S', 'a'), sync, describeMessage('S', 'a')],
  [parse('', 'select 1'), parse('', 'selec'), sync, bind('', '')],
  [parse('', 'select 1'), parse('b', 'select 1'), parse('b', 'select 1'), query('select 1'), sync, bind('', '')],
  // A portal that outlives the error behind which its description was skipped.
  [
    ...[query('begin'), parse('s', 'values (1), (2)'), bind('a', 's'), sync, query('savepoint s')],
    ...[parse('b', 'select 1'), parse('b', 'select 1'), describeMessage('P', 'a'), sync],
    ...[query('rollback to s'), execute('a', 0), sync, query('rollback')],
  ],
  [parse('', 'select 1'), parse('b', 'select 1'), parse('b', 'select 1'), parse('', 'selec'), sync, bind('', '')],
  // See `leftBehind`.
  [query('begin'), query('deallocate b'), describeMessage('P', ''), sync, query('rollback'), describeMessage('P', '')],
];

const names = fc.constantFrom('', 'a', 'b');
const harmless = fc.constantFrom(
  'select 1',
  'select id, name from t order by id',
  "select 'x' where false",
  'select 1/0',
  'select nothing',
  'selec',
  '',
  '-- nothing',
  'begin',
  'commit',
  'rollback',
  'savepoint s',
  'rollback to s',
  "insert into t values (1, 'one') on conflict do nothing",
  'update t set name = name where id = 1',
  'delete from t where id = 1',
  "set application_name = 'fuzz'",
  'show application_name',
  'prepare a as select 2',
  'deallocate a',
  'declare c cursor for select generate_series(1, 3)',
  'values (1), (2)',
);
/** What they mean is asked for when they are prepared, and the server asks only when they run: told apart, on purpose. */
const byName = fc.constantFrom('fetch 2 from c', 'close c');
const forbidden = fc.constantFrom('drop table secret', 'select 1; drop table secret', 'DROP TABLE IF EXISTS "secret"');

function messages(text: fc.Arbitrary<string>): fc.Arbitrary<Buffer> {
  return fc.oneof(
    { weight: 3, arbitrary: text.map(query) },
    { weight: 1, arbitrary: byName.map(query) },
    { weight: 3, arbitrary: fc.tuple(names, text).map(([name, sql]) => parse(name, sql)) },
    { weight: 3, arbitrary: fc.tuple(names, names).map(([portal, name]) => bind(portal, name)) },
    { weight: 3, arbitrary: fc.tuple(names, fc.constantFrom(0, 0, 1)).map(([portal, rows]) => execute(portal, rows)) },
    {
      weight: 1,
      arbitrary: fc
        .tuple(fc.constantFrom<'S' | 'P'>('S', 'P'), names)
        .map(([kind, name]) => describeMessage(kind, name)),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constantFrom<'S' | 'P'>('S', 'P'), names).map(([kind, name]) => close(kind, name)),
    },
    { weight: 3, arbitrary: fc.constant(sync) },
    { weight: 1, arbitrary: fc.constant(flush) },
    { weight: 1, arbitrary: fc.constant(message('c')) },
  );
}

/**
 * Settings and keys differ between any two connections. Which of several reasons a server names first for not running
 * something (no such name, or a failed transaction) is left open.
 */
function comparable(seen: readonly RawMessage[]): string[] {
  return seen
    .filter(({ type }) => type !== 'S' && type !== 'N')
    .map((found) => shown(found).replace(/^E:(34000|26000|25P02)$/, 'E:not run'));
}

/**
 * A simple query that fails in a transaction leaves a portal without a name behind, until the transaction ends: nobody can
 * run it, but the server still describes it, as one without columns (NoData). To the gateway it is gone. Where that is
 * answered, or -1; from there on the one skips up to Sync, and the other does not.
 */
function leftBehind(expected: readonly string[], got: readonly string[]): number {
  return expected.findIndex((answer, index) => {
    const status = expected.slice(0, index).findLast((each) => each.startsWith('Z:'));
    return answer === 'n' && got[index] === 'E:not run' && status === 'Z:E';
  });
}

/** The messages of a counterexample, for whoever has to understand it. */
function readable(parts: readonly Buffer[]): string {
  return parts
    .map((part) => `${String.fromCharCode(part[0] ?? 0)} ${JSON.stringify(part.subarray(5).toString('latin1'))}`)
    .join('; ');
}

async function onTwin(sql: string): Promise<void> {
  const client = await direct();
  client.send(query(sql));
  await client.until('Z');
  client.end();
}

async function direct(): Promise<RawPostgres> {
  const client = await RawPostgres.open(postgres.host, postgres.port);
  client.send(startup({ user: postgres.superuser, database: 'twin' }));
  await client.until('R');
  client.send(message('p', cstring(postgres.password)));
  await client.until('Z');
  return client;
}

async function converse(client: RawPostgres, bytes: Buffer, cuts: readonly number[]): Promise<string[]> {
  const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  for (let index = 1; index < at.length; index++) client.send(bytes.subarray(at[index - 1], at[index]));
  client.send(sync, message('X'));
  // An answer that never comes is a finding of its own; closing lets what was said so far be shown.
  const timer = setTimeout(() => client.end(), 10_000);
  const seen = comparable(await client.rest());
  clearTimeout(timer);
  return seen;
}

describe('random conversations', () => {
  test('that are allowed get the answers the server itself would give', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(messages(harmless), { maxLength: 14 }),
        fc.array(fc.nat(), { maxLength: 4 }),
        async (parts, cuts) => {
          const bytes = Buffer.concat(parts);
          const expected = await converse(await direct(), bytes, cuts);
          const got = await converse(await RawPostgres.login(gateway, token), bytes, cuts);
          const ends = [got.indexOf(sendSeparately), leftBehind(expected, got)].filter((index) => index >= 0);
          const end = ends.length === 0 ? undefined : Math.min(...ends);
          expect(got.slice(0, end), readable(parts)).toEqual(expected.slice(0, end));
        },
      ),
      { numRuns: 150, endOnFailure: true, examples: found.map((parts) => [parts, []] as [Buffer[], number[]]) },
    );
  }, 120_000);

  test('never get a forbidden statement to the server', async () => {
    const any = messages(fc.oneof(harmless, forbidden));
    const noise = fc.uint8Array({ minLength: 1, maxLength: 12 }).map((bytes) => Buffer.from(bytes));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof({ weight: 9, arbitrary: any }, { weight: 1, arbitrary: noise }), { maxLength: 16 }),
        fc.array(fc.nat(), { maxLength: 4 }),
        async (parts, cuts) => {
          const client = await RawPostgres.login(gateway, token);
          const ended = converse(client, Buffer.concat(parts), cuts);
          // Noise may begin a message that never ends.
          const timer = setTimeout(() => client.end(), 2_000);
          await ended;
          clearTimeout(timer);
        },
      ),
      { numRuns: 150 },
    );
    const sent = (await postgres.statements()).map(({ text }) => text);
    expect(sent.filter((text) => /drop table/i.test(text))).toEqual([]);
    expect(await postgres.sql('select count(*)::int as n from secret')).toEqual([{ n: 0 }]);
  }, 120_000);
});
