// Evasions by code that a statement does not seem to call: a principal that may only read must not get any function of a
// user's run. Each row says what would run it. Rows are never removed.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../harness/gateway.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import { query, RawPostgres, shown } from '../harness/raw-postgres.ts';
import { readOnly } from './sql-principals.ts';

/** Leaves a trace that stays, whoever calls it and how. */
const traced = (name: string, args: string, returns: string, result: string, more = '') => `
  CREATE FUNCTION public.${name}(${args}) RETURNS ${returns} LANGUAGE plpgsql ${more}
  AS $$ BEGIN PERFORM public.leave('${name}'); RETURN ${result}; END $$;`;

const init = `
CREATE TABLE public.trace (what text);
CREATE TABLE public.customers (id int, name text, total numeric);
INSERT INTO public.customers VALUES (1, 'one', 1), (2, 'two', 2);
CREATE FUNCTION public.leave(text) RETURNS boolean LANGUAGE plpgsql
  AS $$ BEGIN INSERT INTO public.trace VALUES ($1); RETURN true; END $$;
CREATE DOMAIN public.audited AS text CHECK (public.leave('domain'));
CREATE DOMAIN public.again AS public.audited;
CREATE TYPE public.holder AS (a public.audited, b int);
CREATE TABLE public.held (a public.audited);
CREATE TYPE public.comp AS (x int, y text);
CREATE TYPE public.around AS (c public.comp, d int);
CREATE DOMAIN public.myint AS int;
CREATE TABLE public.shapes (id int, xs int[], m public.myint, c public.comp);
INSERT INTO public.shapes VALUES (1, '{1,2}', 5, (1, 'a')), (2, '{3}', 6, (2, 'b'));
${traced('to_comp', 'int', 'public.comp', "ROW($1, '')::public.comp")}
CREATE CAST (int AS public.comp) WITH FUNCTION public.to_comp(int);
${traced('same', 'public.comp, public.comp', 'boolean', 'true', 'IMMUTABLE')}
CREATE OPERATOR public.= (LEFTARG = public.comp, RIGHTARG = public.comp, FUNCTION = public.same);
${traced('alike', 'text, text', 'boolean', 'true', 'IMMUTABLE')}
CREATE OPERATOR public.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = public.alike);
${traced('steps', 'text, text', 'text', '$1')}
CREATE AGGREGATE public.gather(text) (SFUNC = public.steps, STYPE = text, INITCOND = '');
${traced('round', 'bigint', 'bigint', '$1')}
${traced('to_hex', 'numeric', 'text', "'x'")}
${traced('isfinite', 'int', 'boolean', 'true')}
${traced('quote_ident', 'public.comp', 'text', "'x'")}
${traced('concat', 'VARIADIC int[]', 'text', "'x'")}
${traced('lower', "a text, b text DEFAULT 'x'", 'text', "'x'")}
${traced('named', 'a int DEFAULT 1, b int DEFAULT 2', 'int', '1')}
${traced('gathered', 'VARIADIC text[]', 'text', "'x'")}
${traced('field', 'public.customers', 'text', "'x'")}
${traced('json_scalar', 'text', 'text', "'x'")}
${traced('json_value', 'text, text', 'text', "'x'")}
${traced('json_exists', 'text, text', 'text', "'x'")}
${traced('json_query', 'text, text', 'text', "'x'")}
${traced('json_serialize', 'text', 'text', "'x'")}
${traced('json_array', 'int, int', 'text', "'x'")}
${traced('json_arrayagg', 'text', 'text', "'x'")}
${traced('merge_action', '', 'text', "'x'")}
CREATE PROCEDURE public.proc() LANGUAGE sql AS $$ INSERT INTO public.trace VALUES ('proc') $$;
`;

let postgres: TestPostgres;
let gateway: TestGateway;
let client: RawPostgres;

beforeAll(async () => {
  postgres = await createTestPostgres({ init });
  gateway = await createTestGateway({ postgres, policies: readOnly });
  client = await RawPostgres.login(gateway, await gateway.token({ sub: 'agent', kind: 'agent' }));
});
afterAll(async () => {
  client?.end();
  await gateway?.stop();
  await postgres?.stop();
});
afterEach(async () => {
  await postgres.sql('TRUNCATE public.trace');
});

async function run(text: string): Promise<string> {
  client.send(query(text));
  return (await client.until('Z')).map(shown).join(' ');
}

const rows: readonly (readonly [string, readonly string[]])[] = [
  [
    "a domain's check",
    [
      "SELECT 'x'::public.audited",
      "SELECT public.audited 'x'",
      "SELECT public.audited('x')",
      'SELECT audited(name) FROM public.customers',
      'SELECT CAST(name AS public.audited) FROM public.customers',
      "SELECT 'x'::public.again",
      "SELECT ARRAY['x']::public.audited[]",
      "SELECT '{x}'::public.audited[]",
      "SELECT ('x', 1)::public.holder",
      "SELECT '(x,1)'::public.holder",
      'SELECT * FROM json_populate_record(null::public.holder, \'{"a":"x"}\')',
      'SELECT * FROM json_populate_recordset(null::public.held, \'[{"a":"x"}]\')',
      'SELECT * FROM json_to_record(\'{"a":"x"}\') AS x(a public.audited)',
      'SELECT * FROM ROWS FROM (json_to_record(\'{"a":"x"}\') AS (a public.audited)) AS y',
      "SELECT * FROM XMLTABLE('/a' PASSING '<a>1</a>' COLUMNS a public.audited PATH '.')",
      "SELECT domain_in('x', 'public.audited'::regtype, -1)",
      "SELECT array_in('{x}', 'public.audited'::regtype, -1)",
      "SELECT record_in('(x,1)', 'public.holder'::regtype, -1)",
      "WITH RECURSIVE r(a) AS (SELECT 'x'::public.audited UNION ALL SELECT a FROM r WHERE false) SELECT * FROM r",
      "PREPARE p AS SELECT 'x'::public.audited",
      "DECLARE c CURSOR WITH HOLD FOR SELECT 'x'::public.audited",
    ],
  ],
  [
    'a cast',
    [
      'SELECT 1::public.comp',
      'SELECT id::public.comp FROM public.shapes',
      'SELECT xs::public.comp[] FROM public.shapes',
      'SELECT ARRAY[1, 2]::public.comp[]',
      'SELECT m::public.comp FROM public.shapes',
      'SELECT ROW(1, 2)::public.around',
      'SELECT comp(id) FROM public.shapes',
    ],
  ],
  [
    'an operator',
    [
      "SELECT 'a' === 'b'",
      "SELECT 'a' OPERATOR(public.===) 'b'",
      "SELECT name FROM public.customers WHERE name === ANY (ARRAY['x'])",
      "SELECT name FROM public.customers WHERE name === ALL (SELECT 'x')",
      'SELECT CASE c WHEN c THEN 1 END FROM public.shapes',
      'SELECT nullif(c, c) FROM public.shapes',
      'SELECT * FROM public.shapes WHERE c IN (c)',
      'SELECT * FROM public.shapes WHERE c IN (SELECT c FROM public.shapes)',
      'SELECT * FROM public.shapes WHERE (c, 1) = (c, 1)',
      'SELECT * FROM public.shapes WHERE c IS DISTINCT FROM c',
      'SELECT * FROM public.shapes a JOIN public.shapes b USING (c)',
      'SELECT * FROM public.shapes a NATURAL JOIN public.shapes b',
    ],
  ],
  [
    'an overload that the server prefers for the true types',
    [
      'SELECT round(3000000000)',
      'SELECT round(999999999999999999)',
      'SELECT to_hex(2.5)',
      'SELECT to_hex(1e3)',
      'SELECT to_hex(CASE WHEN true THEN 1 ELSE 2.5 END)',
      'SELECT to_hex(coalesce(1, 2.5))',
      'SELECT to_hex(greatest(1, 2.5))',
      'SELECT to_hex(nullif(1, 2.5))',
      'SELECT to_hex((SELECT 2.5))',
      'SELECT to_hex(id) FROM (SELECT 1 AS id) a JOIN (SELECT 1.0 AS id) b USING (id)',
      'SELECT to_hex(x) FROM (SELECT 1 UNION SELECT 2.5) v(x)',
      "SELECT isfinite(date '2020-01-02' - date '2020-01-01')",
      "SELECT quote_ident(ROW(1, 'a'))",
      "SELECT quote_ident(ROW(1, 'a')::public.comp)",
      'SELECT concat(1, 2)',
      'SELECT concat(VARIADIC ARRAY[1, 2])',
      "SELECT lower(b => 'x', a => 'y')",
      'SELECT named(b => 1)',
      'SELECT gathered()',
      "SELECT gathered(VARIADIC ARRAY['a'])",
    ],
  ],
  [
    'a name that a newer server keeps for itself',
    [
      "SELECT json_scalar('x')",
      "SELECT json_value('x', 'y')",
      "SELECT json_exists('x', 'y')",
      "SELECT json_query('x', 'y')",
      "SELECT json_serialize('x')",
      'SELECT json_array(1, 2)',
      "SELECT json_arrayagg('x')",
      'SELECT merge_action()',
    ],
  ],
  [
    'a call in another notation',
    [
      'SELECT c.field FROM public.customers c',
      'SELECT (c).field FROM public.customers c',
      'SELECT field(c) FROM public.customers c',
      'SELECT gather(name) FROM public.customers',
      'SELECT gather(name) OVER () FROM public.customers',
      "SELECT * FROM public.customers, LATERAL leave('x')",
      "SELECT * FROM ROWS FROM (leave('x'), generate_series(1, 2)) v",
      "SELECT name FROM public.customers ORDER BY leave('x')",
      "SELECT count(*) FILTER (WHERE leave('x')) FROM public.customers",
      "SELECT 1 LIMIT (SELECT count(*) FROM leave('x'))",
      "VALUES (leave('x'))",
      "EXPLAIN ANALYZE SELECT leave('x')",
      "COPY (SELECT leave('x')) TO STDOUT",
      "SELECT postgres.public.leave('x')",
      'CALL public.proc()',
      "DO $$ BEGIN PERFORM public.leave('do'); END $$",
    ],
  ],
];

describe.each(rows)('%s runs nothing', (_, statements) => {
  test.each(statements.map((text) => [text]))('%s', async (text) => {
    await run(text);
    expect(await postgres.sql('SELECT what FROM public.trace')).toEqual([]);
  });
});

describe('what only looks alike is not refused', () => {
  test.each([
    ['SELECT round(total) FROM public.customers'],
    ['SELECT to_hex(1), to_hex(id) FROM public.customers'],
    ['SELECT concat(name, id) FROM public.customers'],
    ["SELECT quote_ident(name), isfinite(date '2020-01-01') FROM public.customers"],
    ["SELECT 'x'::varchar(3), 1::numeric(10, 2), '{1}'::int[]"],
    ['SELECT * FROM json_to_record(\'{"a":1}\') AS x(a int)'],
    ['SELECT CASE id WHEN 1 THEN 2 END FROM public.customers'],
    ['SELECT id::public.myint FROM public.customers'],
  ])('%s', async (text) => {
    expect(await run(text)).toMatch(/C:SELECT/);
  });
});
