// WHERE clauses that hold for every row: a policy that forbids DELETE and UPDATE of everything must not take them for a
// selection, and must not forbid what does select. A bound that happens to include every value (id > 0) is a bound. Rows
// are never removed.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../harness/gateway.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import { fieldsOf, query, RawPostgres } from '../harness/raw-postgres.ts';
import { writer } from './sql-principals.ts';

const init = `
CREATE TABLE public.members (id int PRIMARY KEY, name text, active boolean DEFAULT true, tags int[] DEFAULT '{}',
  created timestamptz DEFAULT now());
CREATE VIEW public.members_v AS SELECT * FROM public.members;
CREATE TABLE public.orders (id serial PRIMARY KEY, customer_id int, note text);
CREATE TABLE public.status (id int, status text);
CREATE TABLE public.trace (what text);
INSERT INTO public.members SELECT n, 'm' || n FROM generate_series(1, 20) n;
INSERT INTO public.orders (customer_id, note) SELECT n, 'n' || n FROM generate_series(1, 10) n;
`;

let postgres: TestPostgres;
let gateway: TestGateway;
let client: RawPostgres;

beforeAll(async () => {
  postgres = await createTestPostgres({ init });
  gateway = await createTestGateway({ postgres, policies: writer });
  client = await RawPostgres.login(gateway, await gateway.token({ sub: 'agent', kind: 'agent' }));
});
afterAll(async () => {
  client?.end();
  await gateway?.stop();
  await postgres?.stop();
});

/** What was said to it inside a transaction that is rolled back: the error's text, or nothing. */
async function said(text: string): Promise<string> {
  client.send(query('begin'), query(text), query('rollback'));
  await client.until('Z');
  const error = (await client.until('Z')).find(({ type }) => type === 'E');
  await client.until('Z');
  return error === undefined ? '' : (fieldsOf(error)['M'] ?? '');
}

const everything: readonly string[] = [
  'DELETE FROM members',
  'DELETE FROM members WHERE true',
  'DELETE FROM members WHERE 1=1',
  'DELETE FROM members WHERE id=id',
  'DELETE FROM members m WHERE m.id=id',
  'DELETE FROM members WHERE NOT false',
  "DELETE FROM members WHERE 'x'='x'",
  'DELETE FROM members WHERE coalesce(true)',
  'DELETE FROM members WHERE EXISTS (SELECT 1)',
  'DELETE FROM members WHERE EXISTS (SELECT 1 FROM orders WHERE orders.id = 1)',
  'DELETE FROM members WHERE EXISTS (SELECT 1 FROM members x WHERE x.id = members.id)',
  'DELETE FROM members WHERE EXISTS (SELECT 1 FROM (SELECT * FROM members) x WHERE x.id = members.id)',
  'DELETE FROM members WHERE EXISTS (SELECT 1 FROM members_v x WHERE x.id = members.id)',
  'DELETE FROM members WHERE ctid IS NOT NULL',
  'DELETE FROM members WHERE random() >= 0',
  'DELETE FROM members WHERE id IN (SELECT id FROM members)',
  'DELETE FROM members WHERE id IN (SELECT id FROM public.members)',
  'DELETE FROM members WHERE id IN (SELECT id FROM members_v)',
  'DELETE FROM members WHERE id IN (SELECT id FROM (SELECT * FROM members) x)',
  'DELETE FROM members WHERE id IN (SELECT m.id FROM members m, (VALUES (1)) v(x) WHERE v.x = 1)',
  'WITH x AS (SELECT id FROM members) DELETE FROM members WHERE id IN (SELECT id FROM x)',
  'WITH x AS (SELECT id FROM members) DELETE FROM members USING x WHERE x.id = members.id',
  'WITH x AS (DELETE FROM members RETURNING id) SELECT count(*) FROM x',
  'DELETE FROM members WHERE id = ANY (ARRAY(SELECT id FROM members))',
  'DELETE FROM members WHERE id = ANY (SELECT id FROM members)',
  'DELETE FROM members WHERE id = SOME (SELECT id FROM members)',
  'DELETE FROM members WHERE id <= (SELECT max(id) FROM members)',
  'DELETE FROM members WHERE id >= ALL (SELECT 0)',
  "DELETE FROM members WHERE ctid > '(0,0)'",
  "DELETE FROM members WHERE ctid >= '(0,0)'::tid",
  "DELETE FROM members WHERE tableoid = 'members'::regclass",
  'DELETE FROM members WHERE tableoid > 0',
  "DELETE FROM members WHERE xmin::text <> ''",
  "DELETE FROM members WHERE name LIKE '%'",
  "DELETE FROM members WHERE name LIKE '%%'",
  "DELETE FROM members WHERE name LIKE '_%'",
  "DELETE FROM members WHERE name LIKE '%' || ''",
  'DELETE FROM members WHERE name LIKE name',
  "DELETE FROM members WHERE name ILIKE '%'",
  "DELETE FROM members WHERE name SIMILAR TO '%'",
  "DELETE FROM members WHERE name ~ '.*'",
  "DELETE FROM members WHERE name ~ ''",
  "DELETE FROM members WHERE name ~* '^'",
  "DELETE FROM members WHERE name >= ''",
  "DELETE FROM members WHERE tags @> '{}'",
  "DELETE FROM members WHERE '{}' <@ tags",
  'DELETE FROM members WHERE id = (members).id',
  'DELETE FROM members m WHERE id = (m).id',
  'DELETE FROM members WHERE id = (SELECT id)',
  'DELETE FROM members WHERE id IN (SELECT id)',
  'DELETE FROM members WHERE id IN (VALUES (id))',
  "DELETE FROM members WHERE id = (row_to_json(members)->>'id')::int",
  'DELETE FROM members WHERE id = coalesce(id, 1)',
  'DELETE FROM members WHERE id = abs(id)',
  'DELETE FROM members WHERE id BETWEEN id AND id',
  'DELETE FROM members WHERE id IS NOT DISTINCT FROM id',
  'DELETE FROM members WHERE active OR NOT active',
  'DELETE FROM members WHERE active OR active IS NOT TRUE',
  'DELETE FROM members WHERE id > 5 OR id <= 5',
  'DELETE FROM members WHERE id = 5 OR id <> 5',
  'DELETE FROM members WHERE id = 5 OR NOT (id = 5)',
  'DELETE FROM members WHERE NOT (id = 5 AND id <> 5)',
  'DELETE FROM members WHERE name IS NULL OR name IS NOT NULL',
  "DELETE FROM members WHERE name IS NULL OR name >= ''",
  'DELETE FROM members WHERE active IN (true, false)',
  "DELETE FROM members WHERE active = ANY ('{t,f}')",
  'DELETE FROM members USING orders WHERE orders.id = 1',
  'DELETE FROM members USING (SELECT 1) v(x) WHERE v.x = 1',
  'DELETE FROM members USING (VALUES (1)) v(x) WHERE x = 1',
  'DELETE FROM members USING (SELECT id FROM members) s WHERE s.id = members.id',
  'DELETE FROM members USING members s WHERE s.id = members.id',
  'DELETE FROM members USING members_v s WHERE s.id = members.id',
  'DELETE FROM members USING members s JOIN orders o ON true WHERE s.id = members.id',
  'DELETE FROM members WHERE id IN (SELECT id FROM members LIMIT NULL::int)',
  'DELETE FROM members WHERE id IN (SELECT id FROM members WHERE id = id)',
  'DELETE FROM members WHERE id NOT IN (SELECT -1)',
  'DELETE FROM members WHERE id <> -1',
  'DELETE FROM members WHERE NOT EXISTS (SELECT 1 WHERE false)',
  'DELETE FROM members WHERE (id, name) = (id, name)',
  'DELETE FROM members WHERE (id, 1) = (id, 1)',
  'DELETE FROM members WHERE ROW(id) = ROW(id)',
  'DELETE FROM members WHERE (SELECT id = id)',
  'DELETE FROM members WHERE (SELECT true)',
  'DELETE FROM members WHERE CASE WHEN id = 1 THEN true ELSE true END',
  'DELETE FROM members WHERE (id = 1) IS NOT NULL',
  'DELETE FROM members WHERE (id = 1) IN (true, false)',
  'DELETE FROM members WHERE id * 0 = 0',
  'DELETE FROM members WHERE id - id = 0',
  'DELETE FROM members WHERE coalesce(NULLIF(id, id), 1) = 1',
  "DELETE FROM members WHERE pg_typeof(id) = 'integer'::regtype",
  'DELETE FROM members WHERE members IS NOT NULL',
  'DELETE FROM members WHERE members = members',
  'DELETE FROM members m WHERE m = (SELECT m)',
  'DELETE FROM members WHERE id::text = id::text',
  'DELETE FROM ONLY members WHERE true',
  'MERGE INTO members m USING (SELECT 1) s(x) ON true WHEN MATCHED THEN DELETE',
  'MERGE INTO members m USING members s ON m.id = s.id WHEN MATCHED THEN DELETE',
  'MERGE INTO members m USING (SELECT * FROM members) s ON m.id = s.id WHEN MATCHED THEN DELETE',
  "MERGE INTO members m USING members_v s ON m.id = s.id WHEN MATCHED THEN UPDATE SET name = 'x'",
  'MERGE INTO members m USING (SELECT 1) s(x) ON s.x = 1 WHEN MATCHED THEN DELETE',
  'MERGE INTO members m USING (VALUES (1)) s(x) ON m.id = s.x WHEN NOT MATCHED BY SOURCE THEN DELETE',
  "INSERT INTO members SELECT * FROM members ON CONFLICT (id) DO UPDATE SET name = 'x'",
  "INSERT INTO members (id, name) SELECT id, name FROM members_v ON CONFLICT (id) DO UPDATE SET name = 'x'",
  "WITH x AS (SELECT * FROM members) INSERT INTO members SELECT * FROM x ON CONFLICT (id) DO UPDATE SET name = 'x'",
  "UPDATE members SET name = 'x'",
  "UPDATE members SET name = 'x' FROM (SELECT 1) v(x) WHERE v.x = 1",
  "UPDATE members SET name = 'x' FROM orders WHERE orders.id = 1",
  "UPDATE members_v SET name = 'x'",
  "UPDATE members_v SET name = 'x' WHERE id = id",
  'EXPLAIN ANALYZE DELETE FROM members',
  'PREPARE del AS DELETE FROM members',
  "WITH a AS (UPDATE members SET name = 'x' RETURNING 1) SELECT * FROM a",
  'DELETE FROM members WHERE id IN (SELECT id FROM trace)',
  'DELETE FROM members WHERE id IN (SELECT members.id FROM orders)',
  'WITH members AS (SELECT * FROM members) DELETE FROM members WHERE id IN (SELECT id FROM members)',
  'DELETE FROM members WHERE id = (SELECT x.id FROM members x WHERE x.ctid = members.ctid)',
  'MERGE INTO members m USING orders o ON o.customer_id = m.id WHEN NOT MATCHED BY SOURCE THEN DELETE',
  'COPY (DELETE FROM members RETURNING *) TO STDOUT',
];

const selecting: readonly string[] = [
  'DELETE FROM members WHERE id = 1',
  'DELETE FROM members WHERE id IN (1, 2)',
  "DELETE FROM members WHERE id = ANY ('{1,2}')",
  'DELETE FROM members WHERE id = ANY (ARRAY[1,2])',
  'DELETE FROM members WHERE members.id = 1',
  'DELETE FROM members m WHERE m.id = 1 AND m.active',
  "DELETE FROM members WHERE id = 1 OR name = 'x'",
  'DELETE FROM members WHERE id = 1 OR id = 2',
  'DELETE FROM members WHERE id < 5',
  'DELETE FROM members WHERE id BETWEEN 1 AND 3',
  "DELETE FROM members WHERE name LIKE 'm1%'",
  'DELETE FROM members WHERE id IN (SELECT customer_id FROM orders)',
  "DELETE FROM members WHERE id IN (SELECT id FROM members WHERE name = 'm1')",
  'DELETE FROM members WHERE id IN (SELECT id FROM members ORDER BY id LIMIT 5)',
  'DELETE FROM members WHERE ctid IN (SELECT ctid FROM members ORDER BY id LIMIT 5)',
  'DELETE FROM members WHERE ctid = ANY (ARRAY(SELECT ctid FROM members WHERE active LIMIT 5))',
  'DELETE FROM members WHERE id = (SELECT max(customer_id) FROM orders)',
  'DELETE FROM members WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = members.id)',
  'DELETE FROM members m USING orders o WHERE o.customer_id = m.id',
  "DELETE FROM members m USING orders o WHERE o.customer_id = m.id AND o.note = 'x'",
  'DELETE FROM members WHERE id = 1 RETURNING *',
  "UPDATE members SET name = 'x' WHERE id = 1",
  "UPDATE members SET name = 'x' WHERE lower(name) = 'm1'",
  "UPDATE members SET name = 'x' WHERE NOT active",
  "UPDATE members SET name = 'x' WHERE active",
  "UPDATE members SET name = 'x' WHERE active = true AND id = 1",
  "UPDATE members SET name = 'x' WHERE active IS TRUE",
  'UPDATE members m SET name = o.note FROM orders o WHERE o.customer_id = m.id',
  "UPDATE members SET name = v.n FROM (VALUES (1, 'a'), (2, 'b')) v(i, n) WHERE v.i = members.id",
  "WITH v(i, n) AS (VALUES (1, 'a')) UPDATE members SET name = n FROM v WHERE i = id",
  "WITH old AS (SELECT id FROM members WHERE name = 'x' LIMIT 10) DELETE FROM members WHERE id IN (SELECT id FROM old)",
  'WITH d AS (DELETE FROM members WHERE id = 1 RETURNING *) INSERT INTO trace SELECT name FROM d',
  "INSERT INTO members VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET name = excluded.name",
  'INSERT INTO members (id, name) SELECT id, note FROM orders ON CONFLICT (id) DO UPDATE SET name = excluded.name',
  'MERGE INTO members m USING orders o ON o.customer_id = m.id WHEN MATCHED THEN UPDATE SET name = o.note WHEN NOT MATCHED THEN INSERT (id, name) VALUES (o.customer_id, o.note)',
  "MERGE INTO members m USING (VALUES (1, 'x')) s(i, n) ON m.id = s.i WHEN MATCHED THEN DELETE",
  "UPDATE members SET name = 'x' WHERE (id, name) = (1, 'm1')",
  "UPDATE members SET name = 'x' WHERE (id, name) IN ((1, 'm1'), (2, 'm2'))",
  'DELETE FROM members WHERE id > 100 AND id <= 200',
  "DELETE FROM members WHERE name < 'b' OR name IS NULL",
  "DELETE FROM members WHERE tags && '{1}'",
  'DELETE FROM members WHERE id % 2 = 0',
  "DELETE FROM members WHERE name ~ '^x'",
  'DELETE FROM members WHERE id = (SELECT max(id) FROM members)',
  "UPDATE status SET status = 'x' WHERE status = 'y'",
  'DELETE FROM members WHERE id NOT IN (SELECT customer_id FROM orders)',
  "DELETE FROM members WHERE created < now() - interval '1 day'",
  'DELETE FROM members WHERE created IS NULL OR created < now()',
];

/** Rows of the server's own tables are definitions and settings, and none that a writer may change. */
const system: readonly string[] = [
  "UPDATE pg_settings SET setting = 'datestyle' WHERE name = 'search_path'",
  "UPDATE pg_catalog.pg_settings SET setting = 'off' WHERE name = 'standard_conforming_strings'",
  "UPDATE pg_proc SET prosrc = 'x' WHERE proname = 'leave'",
  'DELETE FROM pg_catalog.pg_description WHERE objoid = 1',
  "INSERT INTO pg_catalog.pg_description VALUES (1,1,1,'x')",
  "UPDATE pg_authid SET rolsuper = true WHERE rolname = 'x'",
  'TRUNCATE pg_catalog.pg_description',
  "INSERT INTO pg_largeobject VALUES (1, 1, 'x')",
];

test.each(everything)('everything: %s', async (text) => {
  // Not every server knows every form; the gateway refuses it either way.
  expect(await said(text)).toMatch(/Forbidden by policy "no-unbounded"/);
});

test.each(selecting)('a selection: %s', async (text) => {
  expect(await said(text)).toBe('');
});

describe('system tables', () => {
  test.each(system)('%s', async (text) => {
    expect(await said(text)).toMatch(/No policy permits sql:alter|cannot be written to/);
  });

  test('a setting is never changed through the view that shows it', async () => {
    await said("UPDATE pg_settings SET setting = 'pg_toast' WHERE name = 'search_path'");
    client.send(query('SHOW search_path'));
    const shown = (await client.until('Z')).find(({ type }) => type === 'D');
    expect(shown?.body.toString()).toContain('public');
  });
});
