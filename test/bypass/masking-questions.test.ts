// Ways to ask about a labelled value without seeing it: which rows come back, in what order, how many, how large, or
// whether there is an error at all. Only equality with what the client already has may be asked. Rows are never removed.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RawPostgres } from '../harness/raw-postgres.ts';
import { ask, leaked, openShop, outcomeOf, type Shop } from './masking-fixture.ts';

let shop: Shop;
let client: RawPostgres;

beforeAll(async () => {
  shop = await openShop({ source: 'embedded' });
  client = await shop.login('readers');
});
afterAll(async () => {
  client?.end();
  await shop?.stop();
});

async function refused(text: string): Promise<void> {
  const answer = await ask(client, text);
  expect(outcomeOf(answer)).toBe('refused');
  expect(leaked(answer)).toEqual([]);
}

describe('conditions', () => {
  test.each([
    "email LIKE 'z%'",
    "email ILIKE ANY (ARRAY['z%'])",
    "email SIMILAR TO 'z%'",
    "email OPERATOR(pg_catalog.~) '^z'",
    "email ^@ 'z'",
    "email > 'z'",
    "NOT (email < 'z')",
    "email BETWEEN 'z' AND 'zz'",
    "email BETWEEN SYMMETRIC 'zz' AND 'z'",
    "(id, email) < (2, 'm')",
    "c < ROW(1, 'Zelda', 'm', NULL, NULL, NULL, NULL, NULL)::customers",
    'c = (SELECT d FROM customers d WHERE d.id = 1)',
    "email || '' = 'x'",
    "substr(email, 1, 1) = 'z'",
    'length(email) = 26',
    "md5(email) = md5('x')",
    "position('z' in email) = 1",
    'ascii(email) = 122',
    '(email COLLATE "C") = \'x\'',
    "email::char(1) = 'z'",
    "nullif(email, 'z') IS NULL",
    "substring(email from '^z') IS NULL",
    "CASE left(email, 1) WHEN 'z' THEN true END",
    "coalesce(left(email, 1), '') = 'z'",
    "greatest(email, 'm') = 'm'",
    "to_tsvector(email) @@ 'zelda'",
    "starts_with(email, 'z')",
    "tags @> '{quux}'",
    "prefs ? 'k'",
    "prefs ->> 'k' = 'hush'",
    "prefs['k'] IS NOT NULL",
    'prefs @@ \'$.k == "hush"\'',
    "JSON_EXISTS(prefs, '$.k')",
    'email = (SELECT max(body) FROM notes)',
    "email IN (SELECT * FROM (VALUES ('zelda.quark@secretmail.com')) v)",
    'EXISTS (SELECT 1 FROM notes WHERE body < email)',
    '(SELECT count(*) FROM generate_series(1, ascii(email))) > 5',
    'id = (SELECT d.id FROM customers d ORDER BY d.email LIMIT 1)',
    'email = phone',
  ])('WHERE %s', (condition) => refused(`SELECT id FROM customers c WHERE ${condition}`));

  test.each([
    "SELECT id FROM addresses WHERE tail = 'x'",
    'SELECT id FROM addresses_again WHERE tail IS NULL',
    "SELECT id FROM shouted WHERE loud LIKE 'Z%'",
    "SELECT max(amount) FROM payments HAVING min(card_number) > '4'",
    "DELETE FROM customers WHERE email LIKE 'z%'",
    "UPDATE customers SET name = 'x' WHERE email < 'm'",
    "MERGE INTO notes n USING customers c ON c.email LIKE 'z%' WHEN NOT MATCHED THEN INSERT VALUES (1, 'x')",
    "MERGE INTO notes n USING customers c ON n.id = c.id WHEN MATCHED AND c.email < 'm' THEN DELETE",
    "INSERT INTO contacts VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET id = 1 WHERE contacts.email LIKE 'a%'",
    "SELECT c.id FROM customers c JOIN (VALUES ('zelda.quark@secretmail.com')) v (email) USING (email)",
    "SELECT c.id FROM customers c NATURAL JOIN (SELECT 'zelda.quark@secretmail.com'::text AS email) v",
    'SELECT c.id FROM customers c JOIN customers d ON c.email > d.email',
    'SELECT email FROM customers UNION SELECT body FROM notes',
    'SELECT body FROM notes EXCEPT SELECT email FROM customers',
    'SELECT body FROM notes INTERSECT ALL SELECT email FROM customers',
    "SELECT min(id) FILTER (WHERE email LIKE 'z%') FROM customers",
    "EXPLAIN SELECT * FROM customers WHERE email < 'm'",
    "EXPLAIN (ANALYZE) SELECT * FROM customers WHERE email ~ '^z'",
    'PREPARE guess AS SELECT id FROM customers WHERE email LIKE $1',
    "DECLARE guess CURSOR WITH HOLD FOR SELECT id FROM customers WHERE email LIKE 'z%'",
  ])('%s', refused);
});

describe('order, groups and numbers of rows', () => {
  test.each([
    'SELECT id FROM customers ORDER BY email',
    'SELECT id FROM customers c ORDER BY c',
    'SELECT id FROM customers ORDER BY email USING <',
    'SELECT id, email FROM customers ORDER BY 2',
    'SELECT id, email AS x FROM customers ORDER BY x',
    'SELECT id FROM customers ORDER BY (SELECT email)',
    'SELECT id FROM customers ORDER BY left(email, 1)',
    'SELECT count(*) FROM customers GROUP BY email',
    'SELECT count(*) FROM customers GROUP BY GROUPING SETS ((left(email, 1)), ())',
    'SELECT DISTINCT email FROM customers',
    'SELECT DISTINCT ON (email) id FROM customers',
    'SELECT count(DISTINCT email) FROM customers',
    'SELECT max(email) FROM customers',
    'SELECT id, rank() OVER (ORDER BY email) FROM customers',
    'SELECT id, rank() OVER w FROM customers WINDOW w AS (PARTITION BY left(email, 1))',
    'SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY email) FROM customers',
    "SELECT string_agg(id::text, ',' ORDER BY email) FROM customers",
    'SELECT mode() WITHIN GROUP (ORDER BY email) FROM customers',
    'SELECT id FROM customers TABLESAMPLE BERNOULLI ((SELECT length(email) FROM customers LIMIT 1))',
    'SELECT id FROM customers LIMIT (SELECT length(email) FROM customers WHERE id = 1)',
    'SELECT generate_series(1, length(email)) FROM customers',
    'SELECT 1 FROM customers c, unnest(c.tags) t',
    'SELECT 1 FROM customers c, jsonb_each(c.prefs) t',
    "SELECT 1 FROM customers c, regexp_split_to_table(c.email, '@') t",
    "SELECT * FROM JSON_TABLE((SELECT to_jsonb(c) FROM customers c WHERE id = 1), '$' COLUMNS (email text PATH '$.email')) j",
    "SELECT * FROM xmltable('/a' PASSING (SELECT xmlelement(name a, email) FROM customers WHERE id = 1) COLUMNS x text PATH '.') q",
  ])('%s', refused);
});

describe('errors and sizes', () => {
  test.each([
    "SELECT 1 / (CASE WHEN email LIKE 'z%' THEN 0 ELSE 1 END) FROM customers",
    'SELECT email::int FROM customers',
    "SELECT (email || '')::uuid FROM customers",
    'SELECT CAST(email AS xml) FROM customers',
    'SELECT email::jsonb FROM customers',
    'SELECT xmlparse(document email) FROM customers',
    "SELECT to_number(email, '9') FROM customers",
    "SELECT to_date(email, 'YYYY') FROM customers",
    'SELECT convert_from(convert_to(email, $$UTF8$$), $$SJIS$$) FROM customers',
    "SELECT decode(email, 'hex') FROM customers",
    'SELECT \'{"z": 1}\'::jsonb -> left(email, 1) FROM customers',
    'SELECT (\'{"z": 1}\'::jsonb)[left(email, 1)] FROM customers',
    'SELECT (ARRAY[1, 2])[length(email)] FROM customers',
    "SELECT length(replace(left(email, 1), 'z', repeat('x', 1000000)) || 'y') FROM customers",
    "SELECT split_part(repeat('z', 1000000), left(email, 1), 1) FROM customers",
    "SELECT translate(email, 'z', '') FROM customers",
    "SELECT trim(both 'z' from left(email, 1)) FROM customers",
    "SELECT substring(email from '^z') FROM customers",
    "SELECT left(repeat('x', 1000000), length(email)) FROM customers",
    "SELECT repeat('x', length(email)) FROM customers",
    "SELECT format('%*s', length(email), '') FROM customers",
    'SELECT format(email, 1) FROM customers',
    "SELECT regexp_replace(email, '^z', repeat('x', 1000)) FROM customers",
    "EXPLAIN (ANALYZE, SERIALIZE TEXT) SELECT replace(left(email, 1), 'z', repeat('x', 100000)) FROM customers",
    'SELECT pg_sleep(length(email)) FROM customers',
    "SELECT query_to_xml('select 1 / 0 from customers where email like ''z%''', true, true, '')",
  ])('%s', refused);
});
