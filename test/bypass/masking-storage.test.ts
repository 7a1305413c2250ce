// Ways to put a labelled value, or a part of one, where it bears no label or shows more than it did, and to read it there.
// Rows are never removed.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RawPostgres } from '../harness/raw-postgres.ts';
import { ask, leaked, openShop, outcomeOf, rowsOf, type Shop } from './masking-fixture.ts';

let shop: Shop;
let reader: RawPostgres;
let admin: RawPostgres;

beforeAll(async () => {
  shop = await openShop({ source: 'embedded' });
  reader = await shop.login('readers');
  admin = await shop.login('admins');
});
afterAll(async () => {
  reader?.end();
  admin?.end();
  await shop?.stop();
});

async function refused(client: RawPostgres, text: string): Promise<void> {
  const answer = await ask(client, text);
  expect(outcomeOf(answer)).toBe('refused');
  expect(leaked(answer)).toEqual([]);
}

describe('rows', () => {
  test.each([
    'INSERT INTO notes SELECT id, email FROM customers',
    'INSERT INTO notes VALUES (1, (SELECT email FROM customers WHERE id = 1))',
    'UPDATE notes SET body = c.email FROM customers c',
    'UPDATE customers SET name = email',
    'UPDATE customers SET email = phone',
    'UPDATE customers SET (name, phone) = (SELECT email, phone FROM customers d WHERE d.id = 1)',
    "UPDATE contacts SET email = substr(email, 5) || 'aaaa@x.com' RETURNING email",
    'UPDATE contacts SET email = left(email, 1)',
    "UPDATE contacts SET email = coalesce(nullif(left(email, 1), ''), email)",
    'INSERT INTO contacts SELECT 50, substr(email, 1, 1) FROM customers WHERE id = 1',
    'INSERT INTO contacts SELECT 50, e FROM (SELECT right(email, 3) AS e FROM customers) q',
    'WITH q AS (SELECT left(email, 2) AS e FROM customers) INSERT INTO contacts SELECT 50, e FROM q',
    'INSERT INTO contacts SELECT id + 50, tail FROM addresses',
    "INSERT INTO contacts VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET email = left(contacts.email, 1)",
    "INSERT INTO customers (id, email) VALUES (1, 'q') ON CONFLICT (id) DO UPDATE SET name = customers.email",
    'MERGE INTO notes n USING customers c ON n.id = c.id WHEN NOT MATCHED THEN INSERT VALUES (1, c.email)',
    'MERGE INTO contacts n USING customers c ON n.id = c.id WHEN MATCHED THEN UPDATE SET email = left(c.email, 1)',
    'WITH d AS (DELETE FROM orders RETURNING email) INSERT INTO notes SELECT 1, email FROM d',
  ])('%s', (text) => refused(reader, text));

  test.each([
    ["UPDATE contacts SET email = 'new@b.com' WHERE id = 1", 'done'],
    ['UPDATE contacts SET email = lower(email) WHERE id = 1', 'done'],
    ["UPDATE contacts SET email = coalesce(email, 'none') WHERE id = 1", 'done'],
    ["UPDATE contacts SET email = CASE WHEN id = 1 THEN 'n@b.com' ELSE email END", 'done'],
    ['INSERT INTO contacts SELECT id + 100, email FROM customers WHERE id = 1', 'done'],
    ['UPDATE orders SET email = (SELECT c.email FROM customers c WHERE c.id = 1) WHERE id = 2', 'done'],
    [
      "INSERT INTO contacts VALUES (1, 'q') ON CONFLICT (id) DO UPDATE SET email = COALESCE(excluded.email, contacts.email)",
      'done',
    ],
  ])('a whole value may go where it keeps its label: %s', async (text, outcome) => {
    await ask(reader, 'BEGIN');
    expect(outcomeOf(await ask(reader, text))).toBe(outcome);
    await ask(reader, 'ROLLBACK');
  });
});

describe('places that hold a value for a while', () => {
  test.each([
    "SELECT pg_notify('chan', email) FROM customers",
    "SELECT setval('numbers', length(email)) FROM customers",
    "SELECT lo_from_bytea(0, convert_to(email, 'UTF8')) FROM customers",
    'SELECT pg_advisory_lock(hashtext(email)) FROM customers',
    'SELECT pg_try_advisory_lock(length(email)) FROM customers',
    "SELECT pg_logical_emit_message(false, 'x', email) FROM customers",
    'SELECT setseed(length(email) / 100.0) FROM customers',
    "SELECT query_to_xml('select set_config(''app.x'', email, false) from customers', true, true, '')",
    "SELECT ts_stat('select set_config(''app.x'', email, false)::tsvector from customers')",
    "DO $$ BEGIN PERFORM set_config('app.y', (SELECT email FROM customers WHERE id = 1), false); END $$",
    'DO $$ BEGIN UPDATE notes SET body = (SELECT email FROM customers WHERE id = 1); END $$',
    "DO $$ BEGIN PERFORM pg_notify('chan', (SELECT email FROM customers WHERE id = 1)); END $$",
  ])('%s', (text) => refused(reader, text));

  test('a setting by name', async () => {
    await refused(admin, "SELECT set_config('app.x', email, false) FROM customers");
    expect(rowsOf(await ask(admin, "SELECT current_setting('app.x', true)"))).toEqual([[null]]);
  });
});

describe('definitions', () => {
  test.each([
    'CREATE VIEW v AS SELECT email AS x FROM customers',
    'CREATE VIEW customers_again AS SELECT left(email, 1) AS email FROM customers',
    'CREATE MATERIALIZED VIEW mv AS SELECT email FROM customers',
    'CREATE TEMP TABLE t AS SELECT email AS x FROM customers',
    'CREATE TEMP TABLE customers AS SELECT substr(email, 1, 1) AS email FROM public.customers',
    'SELECT email AS x INTO TEMP tt FROM customers',
    'ALTER TABLE customers RENAME COLUMN email TO contact',
    'ALTER TABLE customers RENAME TO clients',
    'ALTER TABLE customers SET SCHEMA other',
    'ALTER SCHEMA public RENAME TO pub',
    'ALTER TABLE vips NO INHERIT customers',
    'ALTER TABLE customers ALTER COLUMN name TYPE text USING email',
    'ALTER TABLE contacts ALTER COLUMN email TYPE int USING email::int',
    'ALTER TABLE contacts ALTER COLUMN email TYPE uuid',
    'ALTER TABLE contacts ALTER COLUMN email TYPE varchar(10)',
    "ALTER TABLE customers ADD CHECK (email LIKE 'a%')",
    'ALTER TABLE customers ADD COLUMN dup text GENERATED ALWAYS AS (email) STORED',
    'CREATE UNIQUE INDEX ON customers (left(email, 1))',
    "CREATE UNIQUE INDEX ON customers ((1)) WHERE email LIKE 'z%'",
    "CREATE TABLE other.customers (id int, email text CHECK (email LIKE 'z%'))",
    "CREATE TABLE other.contacts (email text, CHECK (email < 'm'))",
    'CREATE TABLE other.contacts (email text) PARTITION BY RANGE (email)',
    'CREATE TABLE other.contacts (email text, e text GENERATED ALWAYS AS (left(email, 1)) STORED)',
    "CREATE FUNCTION leak() RETURNS text LANGUAGE sql AS 'SELECT email FROM customers LIMIT 1'",
    "CREATE PROCEDURE leak() LANGUAGE sql AS 'UPDATE notes SET body = (SELECT email FROM customers LIMIT 1)'",
    "CREATE TRIGGER x BEFORE UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION tsvector_update_trigger(name, 'pg_catalog.simple', email)",
    "CREATE POLICY p ON customers USING (email LIKE 'z%')",
    'CREATE PUBLICATION pub FOR TABLE customers',
    'CREATE PUBLICATION pub FOR ALL TABLES',
    "COPY customers TO '/tmp/never'",
    "COPY (SELECT email FROM customers) TO PROGRAM 'cat'",
  ])('%s', (text) => refused(admin, text));

  test('a domain whose check asks', async () => {
    await ask(admin, "CREATE DOMAIN asking AS text CHECK (VALUE LIKE 'a%')");
    await refused(admin, 'ALTER TABLE contacts ALTER COLUMN email TYPE asking');
    await refused(admin, 'CREATE TABLE other.contacts (email asking)');
    await refused(admin, 'SELECT email::asking FROM customers');
  });

  test('a new parent takes over the labels of its children', async () => {
    await ask(admin, 'CREATE TABLE above (LIKE customers)');
    expect(outcomeOf(await ask(admin, 'ALTER TABLE customers INHERIT above'))).toBe('done');
    const answer = await ask(admin, 'SELECT *, email || phone FROM above');
    expect(rowsOf(answer).length).toBeGreaterThan(0);
    expect(leaked(answer)).toEqual([]);
    await shop.postgres.sql('ALTER TABLE customers NO INHERIT above; DROP TABLE above');
  });

  test.each([
    'CREATE TABLE things (id int, email text CHECK (email <> $$$$))',
    'CREATE INDEX ON customers (email)',
    'ALTER TABLE customers ADD COLUMN age int DEFAULT 1',
    'ALTER TABLE plain ALTER COLUMN txt TYPE varchar(100)',
    'CREATE VIEW names AS SELECT id, name FROM customers',
    'COMMENT ON TABLE customers IS $$people$$',
    'CREATE TABLE other.customers (id int, email varchar(100) NOT NULL, phone int, tags text[], prefs jsonb)',
    'ALTER TABLE other.customers ALTER COLUMN email TYPE text',
  ])('has nothing against %s', async (text) => {
    expect(outcomeOf(await ask(admin, text))).toBe('done');
  });
});
