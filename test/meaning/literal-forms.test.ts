// Every form of the grammar in which a number or a string may stand. What the grammar makes of a text must be what it
// made of another one that differs in the values of its literals, wherever one was taken as a model for the other.

import { skeletonOf } from '@sluice/connectors/postgres/meaning/literals.ts';
import { Learning } from '@sluice/connectors/postgres/meaning/model.ts';
import type { StatementMeaning } from '@sluice/connectors/postgres/meaning/statement.ts';
import fc from 'fast-check';
import { hasSqlDetails, loadModule, parseSync } from 'libpg-query';
import { beforeAll, describe, expect, test } from 'vitest';

beforeAll(() => loadModule());

/** N stands for a number, S for a string. */
const starts = `select N~select S~select~select distinct on (N) a~values (N)~insert into t values (N)~insert into t~
update t set a = N~delete from t~with q as (select N)~with recursive x(a) as (select N union all select N from x)~
select a from t~select a from t where a`;
const casts = `S::text~S::varchar(N)~S::char(N)~S::bit(N)~x::float(N)~x::int[N]~x::int array[N]~x::interval(N)~
S::interval second(N)~, cast(S as numeric(N,N))~, cast(x as float(N))~, cast(S as interval second(N))~
, cast(S as interval day to second(N))~, cast(S as pg_catalog.bpchar(N))~, float(N) S~, float S~, interval S~
, interval(N) S~, interval S second(N)~, interval S day to second(N)~, interval S year~, time(N) S~
, timestamp(N) with time zone S~, date S~, bit(N) S~, bit varying(N) S~, char(N) S~, national character(N) S~, foo S~
, foo(N) S~, foo(a, N) S~, pg_catalog.foo S~, "foo" S`;
const operators = `- N~- - N~-(N)~+ N~-N-N~= -N~* -N~@- N~, @ N~, - S~, |/ N~, N !~~ N~operator(pg_catalog.-) N~^ N~% N~
is null~notnull~is distinct from N~between N and N~between symmetric - N and N~in (N, S)~not in (- N, N)~= any (S)~
= any(array[N])~like S escape S~similar to S escape S~ilike S~at time zone S~at local~collate "C"~and N~or S~[N]~[N:N]`;
const calls = `, current_time(N)~, current_timestamp(N)~, localtime(N)~, extract(S from x)~, extract(epoch from S)~
, substring(S from N for N)~, substring(S for N)~, substring(S similar S escape S)~, position(S in S)~, trim(S from S)~
, trim(both from S)~, trim(leading S)~, overlay(S placing S from N for N)~, collation for (S)~, normalize(S, nfc)~
is nfkc normalized~, xmlelement(name a, S)~, xmlparse(document S)~, json_object(S: N)~, json_value(S, S)~is json~
, grouping(N)~, count(*) over (order by N rows N preceding)~, sum(N) over (rows between N preceding and N following)~
, array[N, S]~, (array[N])[N]~, row(N, S)~, case N when N then S end~, coalesce(N, S)~, greatest(N, N)~, nullif(N, S)~
, exists(select N)~, (select S)~, f(a => N)~, f(a := S)~, f(variadic array[N])~, string_agg(S, S order by N)~
, percentile_cont(N) within group (order by S)~, count(*) filter (where a > N)~, user~, treat(S as int)`;
const clauses = `from t~from generate_series(N, N) g~from rows from (f(N), g(S))~from f(N) as x(a int, b varchar(N))~
from json_to_record(S) as x(a float(N), b int[N])~from (values (N, S)) v~from t tablesample system(N)~
from t tablesample bernoulli(N) repeatable(N)~from t join u on a = N~from xmltable(S passing S columns a int path S)~
where a = N~where a = S or b > N~group by N~group by (N)~group by rollup(N)~group by distinct N~having N > N~order by N~
order by N desc~order by S~order by -N~order by (N)~limit N~limit - N~limit all~limit (select N)~offset N rows~
fetch first N rows only~fetch first row only~fetch first -N rows only~fetch first +N rows only~
fetch first (N) rows with ties~union select N~union all values (S)~for update~values (N, S), (S, N)~select N, S~
(a[N]) values (S)~(a) overriding user value select N~on conflict (a) do update set a = N where t.b = S~
on conflict (lower(S)) where a > N do nothing~returning N, S~, b[N] = S~, (b, c) = (N, S)~using u where S = a~
search depth first by a set o select N~cycle a set c to S default S using p select N~cycle a set c using p select N~; select N~;~ ;`;
const listed = (text: string): string[] => text.split('~').map((form) => form.replaceAll('\n', '').replace('!!', '~'));
const forms = [casts, operators.replace('!~~', '!!'), calls, clauses].flatMap(listed);

const numbers = '0 1 2 7 24 25 53 54 32767 32768 65536 999999999 007 000000000'.split(' ');
const strings = ['', 'x', 'epoch', '0', "it''s", '-', ';', '--', '/*', '1 day', 'a b', 'NULL', 'year', '!', '"', 'U&'];

function filled(template: string, picks: readonly number[]): string {
  let turn = 0;
  return template.replace(/\b[NS]\b/g, (sign) => {
    const pick = picks[turn++ % picks.length] ?? 0;
    return sign === 'N' ? (numbers[pick % numbers.length] ?? '') : `'${strings[pick % strings.length] ?? ''}'`;
  });
}

function parsed(text: string): ReturnType<typeof parseSync> | undefined {
  try {
    return parseSync(text);
  } catch (error) {
    if (!hasSqlDetails(error)) throw error;
    return undefined;
  }
}

/** Without places in the text, and without the values of numbers and strings. */
function blank(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, each) => {
      if (/location|stmt_len|list_start|list_end/.test(key)) return undefined;
      return key === 'ival' || key === 'sval' ? (typeof each === 'object' ? 'a value' : each) : each;
    }),
  );
}

/** Whether it may be a model for others, as far as the grammar goes. */
function isModel(text: string): boolean {
  const skeleton = skeletonOf(text);
  const [only, ...more] = parsed(text)?.stmts ?? [];
  if (skeleton === undefined || only?.stmt === undefined || more.length > 0) return false;
  const start = only.stmt_location ?? 0;
  const own = text.slice(start, only.stmt_len ? start + only.stmt_len : undefined).trim();
  const literals = skeleton.literals.filter(({ value }) => typeof value === 'string').map(String);
  const meaning = { kind: 'select', text: own, actions: [], literals, effects: [] };
  return new Learning(text, skeleton, only.stmt).model(meaning as unknown as StatementMeaning) !== undefined;
}

/** How many of these were models. */
function compared(template: string, each: readonly (readonly number[])[]): number {
  const texts = each.map((picks) => filled(template, picks));
  const models = texts.filter(isModel);
  for (const model of models) {
    const expected = blank(parsed(model)?.stmts);
    for (const text of texts) {
      expect(skeletonOf(text)?.shape, text).toBe(skeletonOf(model)?.shape);
      expect(blank(parsed(text)?.stmts), `${model}\n${text}`).toEqual(expected);
    }
  }
  return models.length;
}

const inOrder = [
  [0, 1, 2, 3],
  [4, 6, 5, 9],
  [7, 3, 11, 8],
  [13, 12, 10, 15],
];

describe('what the grammar makes of a text', () => {
  test.each(listed(starts))('is what it makes of its model, in each form behind: %s', (start) => {
    for (const form of forms) compared(`${start} ${form}`, inOrder);
  });

  test('is what it makes of its model, in forms put together at random', () => {
    let models = 0;
    const template = fc.tuple(
      fc.constantFrom(...listed(starts)),
      fc.array(fc.constantFrom(...forms), { maxLength: 4 }),
    );
    const picks = fc.array(fc.array(fc.nat(15), { minLength: 8, maxLength: 8 }), { minLength: 3, maxLength: 3 });
    fc.assert(
      fc.property(template, picks, ([start, more], each) => {
        models += compared([start, ...more].join(' '), each);
      }),
      { numRuns: 3_000 },
    );
    expect(models).toBeGreaterThan(300);
  });

  test.each([
    'select x::float(N)',
    'select interval S second(N)',
    'select x::int[N]',
    'select current_time(N)',
    'select substring(S for N)',
    'select - S',
    'select -(N)',
    'select - - N',
    'select N; select N',
    'select fetch first row only',
    'select a from t tablesample system(N)',
    'select a from t group by rollup(N)',
    'update t set (a, b) = (N, S)',
  ])('has no model where the grammar looks at values, or cannot be seen not to: %s', (template) => {
    for (const picks of inOrder) expect(isModel(filled(template, picks))).toBe(false);
  });
});
