// A principal that may only read two schemas gets nothing of another schema, of files or of what the server keeps to
// itself, and nothing changed: neither rows nor definitions, settings, roles or other sessions. Each row is refused by the
// gateway and never reaches the server's log. Rows are never removed.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../harness/gateway.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import { fieldsOf, query, RawPostgres } from '../harness/raw-postgres.ts';
import { readOnly } from './sql-principals.ts';

const init = `
CREATE SCHEMA secret; CREATE SCHEMA monitoring;
CREATE TABLE public.customers (id serial PRIMARY KEY, name text, active boolean, total numeric);
CREATE TABLE public.parent (id int, word text);
CREATE TABLE public.trace (what text);
CREATE DOMAIN public.audited AS text;
CREATE TABLE monitoring.checks (id int, name text);
CREATE TABLE secret.t (id int PRIMARY KEY, word text);
CREATE TABLE secret.child () INHERITS (public.parent);
CREATE SEQUENCE secret.s; CREATE SEQUENCE public.s;
CREATE PROCEDURE public.proc() LANGUAGE sql AS 'INSERT INTO public.trace VALUES (1)';
INSERT INTO secret.t SELECT n, 'HIDDEN' || n FROM generate_series(1, 50) n;
INSERT INTO public.customers (name) VALUES ('one'), ('two');
SELECT lo_from_bytea(4711, 'HIDDENLARGE');
ANALYZE;
`;

let postgres: TestPostgres;
let gateway: TestGateway;
let client: RawPostgres;

beforeAll(async () => {
  postgres = await createTestPostgres({ init, log: true, settings: { max_prepared_transactions: '5' } });
  gateway = await createTestGateway({ postgres, policies: readOnly });
  client = await RawPostgres.login(gateway, await gateway.token({ sub: 'agent', kind: 'agent' }));
});
afterAll(async () => {
  client?.end();
  await gateway?.stop();
  await postgres?.stop();
});

const reading: readonly string[] = [
  'SELECT * FROM secret.t',
  'TABLE secret.t',
  'SELECT (SELECT word FROM secret.t LIMIT 1)',
  'SELECT (SELECT word FROM postgres.secret.t LIMIT 1)',
  'SELECT EXISTS (SELECT FROM secret.t)',
  'VALUES ((SELECT word FROM secret.t LIMIT 1))',
  'WITH RECURSIVE x AS (SELECT word FROM secret.t UNION SELECT word FROM x) SELECT * FROM x',
  'SELECT * FROM secret.s',
  'SELECT last_value FROM secret.s',
  "SELECT nextval('secret.s')",
  "SELECT nextval('secret.s'::regclass)",
  "SELECT query_to_xml('select * from secret.t', true, true, '')",
  "SELECT table_to_xml('secret.t', true, true, '')",
  "SELECT schema_to_xml('secret', true, true, '')",
  "SELECT ts_stat('select to_tsvector(word) from secret.t')",
  "SELECT * FROM ts_stat('select to_tsvector(word) from secret.t')",
  "SELECT ts_rewrite('a'::tsquery, 'select ''a''::tsquery, ''b''::tsquery from secret.t')",
  "SELECT pg_read_file('/etc/passwd')",
  "SELECT * FROM pg_read_file('/etc/passwd')",
  "SELECT pg_ls_dir('/')",
  "SELECT pg_stat_file('/etc/passwd')",
  'SELECT lo_get(4711)',
  'SELECT data FROM pg_largeobject',
  "SELECT convert_from(data, 'UTF8') FROM pg_catalog.pg_largeobject",
  "SELECT most_common_vals, histogram_bounds FROM pg_stats WHERE schemaname = 'secret'",
  "SELECT histogram_bounds::text FROM pg_stats WHERE schemaname = 'secret'",
  "SELECT stavalues1 FROM pg_statistic WHERE starelid = 'secret.t'::regclass",
  'SELECT * FROM pg_statistic',
  'SELECT rolpassword FROM pg_authid',
  'SELECT passwd FROM pg_shadow',
  'COPY (SELECT * FROM secret.t) TO STDOUT',
  'COPY secret.t TO STDOUT',
  "COPY public.customers FROM '/etc/passwd'",
  'PREPARE p AS SELECT * FROM secret.t',
  'SELECT * FROM "secret"."t"',
  'SELECT * FROM SECRET.T',
  'SELECT * FROM "secret" . /* */ t',
  'SELECT * FROM public.customers c, LATERAL (SELECT word FROM secret.t) x',
  'SELECT (SELECT array_agg(t) FROM secret.t)',
  'SELECT * FROM public.customers WHERE name IN (SELECT word FROM secret.t)',
  'SELECT * FROM public.customers ORDER BY (SELECT word FROM secret.t LIMIT 1)',
  'SELECT 1 LIMIT (SELECT count(*) FROM secret.t)',
  "SELECT * FROM JSON_TABLE((SELECT to_jsonb(array_agg(word)) FROM secret.t), '$[*]' COLUMNS (x text PATH '$')) j",
  "SELECT * FROM XMLTABLE('/a' PASSING (SELECT xmlagg(xmlelement(name a, word)) FROM secret.t) COLUMNS x text PATH '.')",
  'SELECT * FROM unnest(ARRAY(SELECT word FROM secret.t))',
  'SELECT * FROM public.customers TABLESAMPLE system ((SELECT count(*) FROM secret.t))',
  'SELECT * FROM public.customers UNION ALL SELECT id, word, true, 1 FROM secret.t',
  'SELECT secret.t FROM secret.t',
  'EXPLAIN SELECT * FROM secret.t',
  'EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM secret.t',
  'SELECT * FROM ONLY secret.t',
  'SELECT * FROM secret.child',
  'SELECT * FROM pg_toast.pg_toast_2619',
  'SELECT rolpassword FROM pg_catalog.pg_authid',
  'SELECT * FROM pg_user_mappings',
  'SELECT * FROM information_schema.user_mapping_options',
  'SELECT * FROM pg_hba_file_rules',
  'SELECT stanumbers1 FROM pg_statistic',
  'COPY pg_statistic TO STDOUT',
  'SELECT inherited FROM pg_stats_ext',
];

const steering: readonly string[] = [
  "SELECT set_config('search_path', 'secret', false)",
  "SELECT set_config('search_path'::text, 'secret', false)",
  "SELECT set_config(lower('ROLE'), 'x', false)",
  'SET search_path = secret',
  "SET SCHEMA 'secret'",
  'RESET search_path',
  'SET ROLE postgres',
  'RESET ROLE',
  'SET SESSION AUTHORIZATION postgres',
  'SET session_replication_role = replica',
  'SET LOCAL search_path = secret',
  'SET standard_conforming_strings = off',
  'SET backslash_quote = on',
  "SET client_encoding = 'SJIS'",
  "SET NAMES 'SJIS'",
  'SET row_security = off',
  "SET work_mem = '1GB'",
  'LISTEN x',
  'NOTIFY x',
  "ALTER SYSTEM SET work_mem = '1GB'",
  'ALTER ROLE postgres SET search_path = secret',
  'ALTER DATABASE postgres SET search_path = secret',
  "UPDATE pg_settings SET setting = 'secret' WHERE name = 'search_path'",
  "ROLLBACK PREPARED 'x'",
  "PREPARE TRANSACTION 'x'",
];

const changing: readonly string[] = [
  "SELECT setval('public.s', 5)",
  "SELECT database_to_xml(true, true, '')",
  'SELECT 1; DROP TABLE public.customers',
  'SELECT 1 /* */; /* ; */ DELETE FROM public.customers',
  'SELECT $$ $$; DELETE FROM public.customers; SELECT $$ $$',
  "SELECT '\\'; DELETE FROM public.customers; --'",
  'WITH d AS (DELETE FROM public.customers RETURNING *) SELECT * FROM d',
  'SELECT * FROM (WITH d AS (DELETE FROM public.customers RETURNING *) SELECT * FROM d) x',
  "WITH a AS (SELECT 1), d AS (INSERT INTO public.trace VALUES ('cte') RETURNING *) SELECT * FROM a",
  'EXPLAIN ANALYZE DELETE FROM public.customers',
  'EXPLAIN (ANALYZE) DELETE FROM public.customers',
  'EXPLAIN (ANALYZE, COSTS off) WITH d AS (DELETE FROM public.customers RETURNING 1) SELECT 1',
  'EXPLAIN DELETE FROM public.customers',
  'COPY (DELETE FROM public.customers RETURNING *) TO STDOUT',
  "COPY public.customers TO '/tmp/x'",
  "COPY public.customers TO PROGRAM 'cat'",
  "COPY public.customers FROM PROGRAM 'echo 1'",
  'SELECT * INTO public.x FROM public.customers',
  'SELECT * INTO TEMP x FROM public.customers',
  'CREATE TABLE public.x AS SELECT 1',
  'CREATE TEMP TABLE x AS SELECT 1',
  'CREATE TEMP VIEW customers AS SELECT * FROM secret.t',
  'SELECT * FROM public.customers FOR UPDATE',
  'SELECT * FROM public.customers FOR KEY SHARE',
  'SELECT * FROM (SELECT * FROM public.customers FOR SHARE) x',
  'DECLARE c CURSOR FOR SELECT * FROM secret.t',
  'DO $$ BEGIN DELETE FROM public.customers; END $$',
  'CALL public.proc()',
  'PREPARE p AS DELETE FROM public.customers',
  'LOCK TABLE public.customers',
  'TRUNCATE public.customers',
  'VACUUM public.customers',
  'ANALYZE public.customers',
  'REINDEX TABLE public.customers',
  'CHECKPOINT',
  "LOAD 'x'",
  'CREATE EXTENSION dblink',
  'CREATE LANGUAGE plperlu',
  "COMMENT ON TABLE public.customers IS 'x'",
  'GRANT SELECT ON secret.t TO PUBLIC',
  'REASSIGN OWNED BY postgres TO postgres',
  'IMPORT FOREIGN SCHEMA x FROM SERVER y INTO public',
  'SELECT pg_advisory_lock(1)',
  'SELECT pg_sleep(0)',
  'SELECT pg_reload_conf()',
  'SELECT pg_switch_wal()',
  "SELECT pg_notify('x','y')",
  'SELECT lo_create(0)',
  'SELECT pg_export_snapshot()',
  'SELECT plpgsql_validator(1)',
  'SELECT pg_event_trigger_ddl_commands()',
  'SELECT pg_current_logfile()',
  "SELECT pg_logical_emit_message(true, 'a', 'b')",
  "SELECT pg_create_restore_point('x')",
  'SELECT U&"s\\0065cret".t.word FROM U&"s\\0065cret".t',
  "SELECT pg_input_is_valid('x', 'public.audited')",
  '/*/* nested */ SELECT 1; */ DROP TABLE public.customers',
];

const inOtherClothes: readonly string[] = [
  'SELECT 1;\n--\rDELETE FROM public.customers\n;DROP TABLE public.customers',
  "SELECT '\\'; DELETE FROM public.customers; --'",
  "SELECT E'\\\\'; DELETE FROM public.customers; --'",
  'SELECT $a$ $b$ $a$; DELETE FROM public.customers; SELECT $b$ $a$ $b$',
  "SELECT U&'\\0027'; DELETE FROM public.customers; --'",
  "SELECT U&'!0027' UESCAPE '!'; DELETE FROM public.customers; --'",
  'SELECT 1 /* /* */ ; */ ; DELETE FROM public.customers /* */',
  '\ufeffDELETE FROM public.customers',
  'DELETE\u00a0FROM public.customers',
  'DEL\u200bETE FROM public.customers',
  'delete\vfrom public.customers',
  'SELECT * FROM secret\u200b.t; SELECT * FROM secret.t',
  'SELECT * FROM "\u017fecret".t; SELECT * FROM secret.t',
  `SELECT ${'('.repeat(900)}SELECT count(*) FROM secret.t${')'.repeat(900)}`,
  `SELECT ${'1+'.repeat(20000)}1; DELETE FROM public.customers`,
  `SELECT '${'x'.repeat(300_000)}'; DELETE FROM public.customers`,
  `WITH ${Array.from({ length: 200 }, (_, n) => `c${n} AS (SELECT 1)`).join(', ')}, d AS (DELETE FROM public.customers RETURNING 1) SELECT 1`,
];

describe.each([
  ['reading elsewhere', reading],
  ['steering the session', steering],
  ['changing something', changing],
  ['statements in other clothes', inOtherClothes],
])('%s', (_, statements) => {
  test.each(statements.map((text) => [text.slice(0, 120), text]))('%s', async (_shown, text) => {
    client.send(query(text));
    const seen = await client.until('Z');
    const error = seen.find(({ type }) => type === 'E');
    expect(error && fieldsOf(error)['R'], 'refused, and not by the server').toBeUndefined();
    expect(seen.map(({ type }) => type)).toEqual(['E', 'Z']);
    expect(Buffer.concat(seen.map(({ body }) => body)).toString()).not.toMatch(/HIDDEN\d/);
  });
});

test("the server's log and tables show that nothing of it was run", async () => {
  const log = (await postgres.statements()).map(({ text }) => text).join('\n');
  expect(log).not.toMatch(/delete from public|drop table|from secret\.t$/im);
  expect(await postgres.sql('SELECT count(*)::int AS n FROM public.customers')).toEqual([{ n: 2 }]);
  expect(await postgres.sql('SELECT last_value::int AS n, is_called FROM public.s')).toEqual([
    { n: 1, is_called: false },
  ]);
  expect(await postgres.sql('SELECT * FROM public.trace')).toEqual([]);
  expect(await postgres.sql("SELECT 1 FROM pg_class WHERE relname IN ('x', 'c') OR relpersistence = 't'")).toEqual([]);
  expect(await postgres.sql('SELECT 1 FROM pg_prepared_xacts')).toEqual([]);
});
