// What a session is at the server and what the gateway takes it for must never part: path, role, names and transactions
// changed behind its back, on the way, or taken back. Each row says what the last statement must come to. Rows are
// never removed.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../harness/gateway.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import {
  bind,
  cellsOf,
  execute,
  fieldsOf,
  parse,
  query,
  type RawMessage,
  RawPostgres,
  shown,
  sync,
} from '../harness/raw-postgres.ts';
import { sealedRecordings } from '../harness/sealed-recordings.ts';

const policies = `
@id("use") permit (
  principal,
  action in [Action::"connect", Action::"read", Action::"write", Action::"execute", Action::"admin"],
  resource
);
@id("not-there") @reason("nothing in closed is read")
forbid (principal, action in Action::"read", resource in Schema::"shop/closed");
`;

const init = `
CREATE SCHEMA closed;
CREATE TABLE items (name text);
INSERT INTO items VALUES ('open');
CREATE TABLE closed.items (name text);
INSERT INTO closed.items VALUES ('closed');
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
CREATE FUNCTION wander() RETURNS text LANGUAGE plpgsql AS
  $$ BEGIN PERFORM set_config('search_path', 'closed', false); RETURN 'x'; END $$;
CREATE PROCEDURE wander_and_commit() LANGUAGE plpgsql AS
  $$ BEGIN COMMIT; PERFORM set_config('search_path', 'closed', false); COMMIT; END $$;
CREATE TABLE people (id int PRIMARY KEY, ssn text UNIQUE);
INSERT INTO people VALUES (1, '123-45-6789'), (2, '987-65-4321');
CREATE TABLE visits (ssn text REFERENCES people (ssn) DEFERRABLE INITIALLY DEFERRED);
INSERT INTO visits SELECT ssn FROM people;
`;

let postgres: TestPostgres;
let gateway: TestGateway;
let token: string;

beforeAll(async () => {
  postgres = await createTestPostgres({ init, settings: { max_prepared_transactions: '5' } });
  gateway = await createTestGateway({ postgres, policies, labels: { ssn: ['*.people.ssn', '*.visits.ssn'] } });
  token = await gateway.token({ sub: 'agent', kind: 'agent' });
});
afterAll(async () => {
  await gateway?.stop();
  await postgres?.stop();
});

const read = query('SELECT name FROM items');
const extended = (text: string): Buffer => Buffer.concat([parse('', text), bind('', ''), execute('')]);

/** Every step is sent whole, and answered up to as many ReadyForQuery as it asks for, before the next. */
async function play(steps: readonly (Buffer | readonly Buffer[])[]): Promise<RawMessage[][]> {
  const client = await RawPostgres.login(gateway, token);
  const answers: RawMessage[][] = [];
  for (const step of steps) {
    const parts = Array.isArray(step) ? step : [step];
    client.send(...parts);
    for (const part of parts) if (part[0] === 0x51 || part.at(-5) === 0x53) answers.push(await client.until('Z'));
  }
  client.end();
  return answers;
}

/** What the last answer came to: names that were read, or the code of the error. */
function outcome(answers: readonly RawMessage[][]): string {
  const last = answers.at(-1) ?? [];
  const error = last.find(({ type }) => type === 'E');
  if (error) return shown(error);
  return last
    .filter(({ type }) => type === 'D')
    .map((row) => cellsOf(row).join())
    .join();
}

const toClosed = query('SET search_path = closed');
const toPublic = query('SET search_path = public');
const begin = query('BEGIN');

describe('where an unqualified name leads', () => {
  test.each<[string, (Buffer | readonly Buffer[])[], string]>([
    ['as it is', [read], 'open'],
    ['after SET', [toClosed, read], 'E:42501'],
    ['after SET in the same burst', [[toClosed, read]], 'E:42501'],
    ['after SET by message in the same burst', [[extended('SET search_path = closed'), sync, read]], 'E:42501'],
    [
      'after SET without a Sync between',
      [[extended('SET search_path = closed'), extended('SELECT name FROM items'), sync]],
      'E:0A000',
    ],
    ['after SET in the same string', [query('SET search_path = closed; SELECT name FROM items')], 'E:0A000'],
    ['after SET LOCAL', [query('BEGIN; SET LOCAL search_path = closed'), read], 'E:42501'],
    ['after SET LOCAL and COMMIT', [query('BEGIN; SET LOCAL search_path = closed'), query('COMMIT'), read], 'open'],
    ['after ROLLBACK of SET', [toClosed, begin, toPublic, query('ROLLBACK'), read], 'E:42501'],
    [
      'after COMMIT of a failed transaction',
      [toClosed, begin, toPublic, query('SELECT 1/0'), query('COMMIT'), read],
      'E:42501',
    ],
    ['after ROLLBACK TO', [toClosed, begin, query('SAVEPOINT a'), toPublic, query('ROLLBACK TO a'), read], 'E:42501'],
    [
      'after ROLLBACK TO out of a failure',
      [toClosed, begin, query('SAVEPOINT a'), toPublic, query('SELECT 1/0'), query('ROLLBACK TO a'), read],
      'E:42501',
    ],
    ['after ROLLBACK AND CHAIN', [toClosed, begin, toPublic, query('ROLLBACK AND CHAIN'), read], 'E:42501'],
    [
      'after a COMMIT that a deferred constraint turned into a ROLLBACK',
      [toClosed, begin, toPublic, query('INSERT INTO public.child VALUES (9)'), query('COMMIT'), read],
      'E:42501',
    ],
    [
      'after such a COMMIT by message',
      [toClosed, begin, toPublic, query('INSERT INTO public.child VALUES (9)'), [extended('COMMIT'), sync], read],
      'E:42501',
    ],
    [
      'after such a COMMIT in the same burst',
      [toClosed, begin, toPublic, [query('INSERT INTO public.child VALUES (9)'), query('COMMIT'), read]],
      'E:42501',
    ],
    [
      'after a Sync that a deferred constraint turned into a rollback',
      [
        toClosed,
        [extended('SET search_path = public'), sync],
        toClosed,
        [extended('INSERT INTO public.child VALUES (9)'), sync],
        read,
      ],
      'E:42501',
    ],
    [
      'after PREPARE TRANSACTION',
      [toClosed, begin, toPublic, query("PREPARE TRANSACTION 'x'"), query("ROLLBACK PREPARED 'x'"), read],
      'open',
    ],
    ['after DISCARD ALL', [toClosed, query('DISCARD ALL'), read], 'open'],
    ['after RESET ALL', [toClosed, query('RESET ALL'), read], 'open'],
    ['after a function that sets it', [query('SELECT wander()'), read], 'E:42501'],
    ['after a function that sets it, in the same burst', [[query('SELECT wander()'), read]], 'E:42501'],
    [
      'after such a function without a Sync between',
      [[extended('SELECT wander()'), extended('SELECT name FROM items'), sync]],
      'E:0A000',
    ],
    ['after a procedure that commits and sets it', [query('CALL wander_and_commit()'), read], 'E:42501'],
    [
      'after a block that would set it, which is not seen into and refused',
      [query('DO $$ BEGIN SET search_path = closed; END $$'), read],
      'open',
    ],
    [
      'in what was prepared before SET',
      [query('PREPARE p AS SELECT name FROM items'), toClosed, query('EXECUTE p')],
      'E:42501',
    ],
    [
      'in what was parsed before SET',
      [[parse('p', 'SELECT name FROM items'), sync], toClosed, [bind('', 'p'), execute(''), sync]],
      'E:42501',
    ],
    [
      'in what was prepared by name and bound by message',
      [query('PREPARE p AS SELECT name FROM items'), toClosed, [bind('', 'p'), execute(''), sync]],
      'E:42501',
    ],
    [
      'in a portal that was opened before SET',
      [
        begin,
        [parse('', 'SELECT name FROM items'), bind('p', ''), execute('p', 1), sync],
        toClosed,
        [execute('p', 1), sync],
      ],
      '',
    ],
    [
      'under a name that was given away and taken again in one string',
      [query('PREPARE p AS SELECT 1'), query('DEALLOCATE p; PREPARE p AS SELECT name FROM closed.items; EXECUTE p')],
      'E:42501',
    ],
    [
      'under a name that was given away and taken again in one burst',
      [query('PREPARE p AS SELECT 1'), [query('DEALLOCATE p'), parse('p', 'SELECT name FROM closed.items'), sync]],
      'E:42501',
    ],
  ])('%s', async (_, steps, expected) => {
    expect(outcome(await play(steps))).toBe(expected);
  });
});

describe('what is put off to the end of a transaction', () => {
  const gone = 'DELETE FROM people WHERE id = 1';
  test.each<[string, (Buffer | readonly Buffer[])[]]>([
    ['at once', [query(gone)]],
    ['at COMMIT', [begin, query(gone), query('COMMIT')]],
    ['at COMMIT by message', [begin, query(gone), [extended('COMMIT'), sync]]],
    ['at COMMIT AND CHAIN', [begin, query(gone), query('COMMIT AND CHAIN')]],
    ['at SET CONSTRAINTS', [begin, query(gone), query('SET CONSTRAINTS ALL IMMEDIATE')]],
    ['at PREPARE TRANSACTION', [begin, query(gone), query("PREPARE TRANSACTION 'y'")]],
    ['at Sync', [[extended(gone), sync]]],
    ['at the end of several statements', [query(`${gone}; SELECT 1`)]],
  ])('says nothing about masked values: %s', async (_, steps) => {
    const last = (await play(steps)).at(-1) ?? [];
    const error = last.find(({ type }) => type === 'E') as RawMessage;
    expect(fieldsOf(error)['C']).toBe('23503');
    expect(Buffer.concat(last.map(({ body }) => body)).toString()).not.toContain('123-45-6789');
  });

  test('is told in full where nothing masked is touched', async () => {
    const last = (await play([begin, query('INSERT INTO child VALUES (9)'), query('COMMIT')])).at(-1) ?? [];
    expect(fieldsOf(last[0] as RawMessage)['D']).toContain('(id)=(9)');
  });
});

test('every one of these sessions left a whole recording', async () => {
  expect(await sealedRecordings(gateway)).toBeGreaterThan(30);
});
