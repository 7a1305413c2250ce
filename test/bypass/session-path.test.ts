// The search path means something else once somebody made a schema that it names: the next statement is judged by that.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../harness/gateway.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import { bind, cellsOf, execute, parse, query, RawPostgres, shown, sync } from '../harness/raw-postgres.ts';

const policies = `
@id("connect") permit (principal, action in Action::"connect", resource);
@id("read") permit (principal, action in Action::"read", resource in Schema::"shop/public");
@id("operate") permit (principal in Group::"operators", action, resource);
`;

let postgres: TestPostgres;
let gateway: TestGateway;

beforeAll(async () => {
  postgres = await createTestPostgres({ init: "CREATE TABLE t (v text); INSERT INTO t VALUES ('public')" });
  gateway = await createTestGateway({ postgres, policies });
});
afterAll(async () => {
  await gateway?.stop();
  await postgres?.stop();
});

async function reader(): Promise<RawPostgres> {
  return RawPostgres.login(gateway, await gateway.token({ sub: 'reader', kind: 'agent' }));
}

test('a schema made by another session, first in the path, is what the next statement reads', async () => {
  const simple = await reader();
  const extended = await reader();
  simple.send(query('select v from t'));
  expect((await simple.until('Z')).filter(({ type }) => type === 'D').map(cellsOf)).toEqual([['public']]);
  const operator = await gateway.connect({ sub: 'operator', groups: ['operators'] });
  // The path is "$user", public, and the gateway's user at the server is the superuser.
  await operator.query(`CREATE SCHEMA ${postgres.superuser}`);
  await operator.query(`CREATE TABLE ${postgres.superuser}.t AS SELECT 'SECRETPATH'::text AS v`);
  await operator.end();
  simple.send(query('select v from t'));
  expect((await simple.until('Z')).map(shown)).toEqual(['E:42501', 'Z:I']);
  extended.send(parse('', 'select v from t'), bind('', ''), execute(''), sync);
  expect((await extended.until('Z')).map(shown)).toEqual(['E:42501', 'Z:I']);
  // What they may still read, they still can.
  simple.send(query('select v from public.t'));
  expect((await simple.until('Z')).map(shown)).toEqual(['T', 'D', 'C:SELECT 1', 'Z:I']);
  simple.end();
  extended.end();
});
