// Names that stand for statements: prepared by SQL and by message, cursors and portals, taken away and given again. Each
// row tries to have run under a name what was judged under another. Rows are never removed.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../harness/gateway.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import { bind, close, execute, parse, query, RawPostgres, shown, sync } from '../harness/raw-postgres.ts';
import { readOnly } from './sql-principals.ts';

const init = `
CREATE SCHEMA secret;
CREATE TABLE public.customers (id int, name text);
CREATE TABLE secret.t (id int, word text);
INSERT INTO secret.t VALUES (1, 'HIDDEN');
INSERT INTO public.customers VALUES (1, 'one');
`;
const steal = 'SELECT word FROM secret.t';
const remove = 'DELETE FROM public.customers';

let postgres: TestPostgres;
let gateway: TestGateway;
let token: string;

beforeAll(async () => {
  postgres = await createTestPostgres({ init, log: true });
  gateway = await createTestGateway({ postgres, policies: readOnly });
  token = await gateway.token({ sub: 'agent', kind: 'agent' });
});
afterAll(async () => {
  await gateway?.stop();
  await postgres?.stop();
});

const rows: readonly (readonly [string, readonly (readonly Uint8Array[])[]])[] = [
  ['PREPARE of a write', [[query(`PREPARE a AS ${remove}`)], [query('EXECUTE a')]]],
  ['PREPARE of a read elsewhere', [[query(`PREPARE a AS ${steal}`)], [query('EXECUTE a')]]],
  [
    'a message after PREPARE under one name',
    [[query('PREPARE a AS SELECT 1')], [parse('a', remove), sync], [query('EXECUTE a')]],
  ],
  [
    'PREPARE after a message under one name',
    [[parse('a', 'SELECT 1'), sync], [query(`PREPARE a AS ${remove}`)], [bind('', 'a'), execute(''), sync]],
  ],
  [
    'names that differ by case',
    [[query('PREPARE "A" AS SELECT 1')], [parse('a', remove), sync], [query('EXECUTE a')], [query('EXECUTE "A"')]],
  ],
  [
    'names that differ behind 63 bytes',
    [
      [query(`PREPARE ${'n'.repeat(63)}x AS SELECT 1`)],
      [parse('n'.repeat(64), remove), sync],
      [query(`EXECUTE ${'n'.repeat(63)}y`)],
    ],
  ],
  [
    'names that differ by a byte order mark',
    [[parse('\ufeffa', 'SELECT 1'), parse('a', remove), bind('', 'a'), execute(''), sync]],
  ],
  [
    'a name given again in one string',
    [[query('PREPARE a AS SELECT 1')], [query(`DEALLOCATE a; PREPARE a AS ${remove}; EXECUTE a`)]],
  ],
  [
    'a name given again in a transaction that fails',
    [
      [query('BEGIN')],
      [query('PREPARE a AS SELECT 1')],
      [query('DEALLOCATE a')],
      [query(`PREPARE a AS ${steal}`)],
      [query('ROLLBACK')],
      [query('EXECUTE a')],
    ],
  ],
  [
    'DEALLOCATE ALL and DISCARD ALL',
    [
      [parse('a', 'SELECT 1'), sync],
      [query('DISCARD ALL')],
      [parse('a', remove), bind('', 'a'), execute(''), sync],
      [query('DEALLOCATE ALL')],
      [query('EXECUTE a')],
    ],
  ],
  [
    'EXECUTE inside other statements',
    [
      [query(`PREPARE a AS ${steal}`)],
      [query('EXPLAIN ANALYZE EXECUTE a')],
      [query('CREATE TEMP TABLE x AS EXECUTE a')],
    ],
  ],
  [
    'PREPARE whose text hides its AS',
    [
      [query(`PREPARE "as" AS ${steal}`)],
      [query(`PREPARE b (text) /* AS SELECT 1 */ AS ${steal}`)],
      [query('EXECUTE "as"')],
      [query("EXECUTE b('x')")],
    ],
  ],
  [
    'a closed statement',
    [[parse('a', 'SELECT 1'), close('S', 'a'), parse('a', remove), bind('', 'a'), execute(''), sync]],
  ],
  [
    'the nameless statement',
    [
      [parse('', 'SELECT 1'), parse('', remove), bind('', ''), execute(''), sync],
      [bind('', ''), execute(''), sync],
    ],
  ],
  [
    'a portal bound again',
    [[parse('a', 'SELECT 1'), parse('b', steal), bind('p', 'a'), bind('p', 'b'), execute('p'), sync]],
  ],
  [
    'a cursor on another schema',
    [[query('BEGIN')], [query(`DECLARE c CURSOR FOR ${steal}`)], [query('FETCH ALL c')], [query('ROLLBACK')]],
  ],
  [
    'a cursor declared again',
    [
      [query('BEGIN')],
      [query('DECLARE c CURSOR FOR SELECT 1')],
      [query('CLOSE c')],
      [query(`DECLARE c CURSOR FOR ${steal}`)],
      [query('FETCH ALL c')],
      [query('ROLLBACK')],
    ],
  ],
  [
    'a cursor declared again past a savepoint',
    [
      [query('BEGIN')],
      [query('SAVEPOINT s')],
      [query('DECLARE c CURSOR FOR SELECT 1')],
      [query('ROLLBACK TO s')],
      [query(`DECLARE c CURSOR FOR ${steal}`)],
      [query('FETCH ALL c')],
      [query('ROLLBACK')],
    ],
  ],
  [
    'a cursor and a portal of one name',
    [
      [query('BEGIN')],
      [parse('a', 'SELECT 1'), bind('c', 'a'), sync],
      [query(`DECLARE c CURSOR FOR ${steal}`)],
      [query('FETCH ALL c')],
      [execute('c'), sync],
      [query('ROLLBACK')],
    ],
  ],
  [
    'a cursor that stays',
    [[query(`DECLARE c CURSOR WITH HOLD FOR ${steal}`)], [query('FETCH ALL c')], [query('MOVE ALL c')]],
  ],
  [
    'a path set for the rest of the string',
    [
      [query('SET search_path = secret; SELECT word FROM t')],
      [query("SELECT set_config('search_path', 'secret', true); SELECT word FROM t")],
    ],
  ],
  [
    'a path set and rolled back',
    [[query('BEGIN')], [query('SET LOCAL search_path = secret')], [query('ROLLBACK')], [query('SELECT word FROM t')]],
  ],
  [
    'a temporary table before the real one',
    [
      [query(`CREATE TEMP VIEW customers AS ${steal}`)],
      [query(`SELECT * INTO TEMP customers FROM secret.t`)],
      [query('SELECT * FROM customers')],
    ],
  ],
];

describe.each(rows)('%s', (_, exchanges) => {
  test('gives nothing away and changes nothing', async () => {
    const client = await RawPostgres.login(gateway, token);
    const seen: string[] = [];
    for (const parts of exchanges) {
      client.send(...parts);
      const answers = await client.until('Z');
      expect(Buffer.concat(answers.map(({ body }) => body)).toString()).not.toContain('HIDDEN');
      seen.push(...answers.map(shown));
    }
    client.end();
    expect(seen.some((one) => one.startsWith('E:'))).toBe(true);
    expect(seen.filter((one) => /^C:(DELETE|SELECT INTO|CREATE)/.test(one))).toEqual([]);
    expect(await postgres.sql('SELECT count(*)::int AS n FROM public.customers')).toEqual([{ n: 1 }]);
  });
});

test("the server's log knows of no such statement", async () => {
  const texts = (await postgres.statements()).map(({ text }) => text);
  expect(
    texts.filter((text) => /from public\.customers$|secret\.t$|FROM t$/.test(text) && !/count/.test(text)),
  ).toEqual([]);
});
