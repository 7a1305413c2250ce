// Random queries over the sample, most of which the server accepts, that mix labelled and other columns in every clause.

import fc from 'fast-check';

const constant = fc.constantFrom("'nobody'", "'m'", "'name2'", "'none'", 'NULL');
const column = fc.constantFrom('email', 'phone', 'ssn', 'name', 'name', 'score::text', 'id::text');
const pattern = fc.constantFrom("'C%'", "'%1'", "'n%'", "'_A%'");
const small = fc.constantFrom('1', '2', '3');

const text = (...parts: readonly (string | fc.Arbitrary<string>)[]): fc.Arbitrary<string> =>
  fc.tuple(...parts.map((part) => (typeof part === 'string' ? fc.constant(part) : part))).map((all) => all.join(''));

/** The columns belong to `c` in a query over one table; inside a subquery bare names mean its own table. */
const { expression, condition } = fc.letrec<{ expression: string; condition: string; inner: string }>((tie) => {
  const e = tie('expression');
  const p = tie('condition');
  return {
    expression: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      column,
      text('c.', fc.constantFrom('email', 'phone', 'name')),
      constant.map((one) => `${one}::text`),
      text('upper(', e, ')'),
      text('(', e, ' || ', e, ')'),
      text('coalesce(', e, ', ', e, ')'),
      text('left(', e, ', ', small, ')'),
      text('substr(', e, ', ', small, ', ', small, ')'),
      text('length(', e, ')::text'),
      text('ascii(', e, ')::text'),
      text('md5(', e, ')'),
      text('repeat(', e, ', ', small, ')'),
      text('(', e, ')::varchar(', small, ')::text'),
      text('to_json(', e, ')::text'),
      text('nullif(', e, ', ', e, ')'),
      text('greatest(', e, ', ', e, ')'),
      text('(CASE WHEN ', p, ' THEN ', e, ' ELSE ', e, ' END)'),
      text('(CASE ', e, ' WHEN ', e, ' THEN ', e, ' END)'),
      text('(', p, ')::text'),
      text('(SELECT ', e, ' FROM customers WHERE id = ', small, ')'),
      text('(SELECT max(', e, ') FROM customers)'),
      text('(SELECT count(*) FROM customers WHERE ', p, ')::text'),
      text('(SELECT string_agg(', e, ", ',' ORDER BY id) FROM customers)"),
      text('(SELECT array_agg(', e, ' ORDER BY ', e, ') FROM customers)::text'),
      text('(1 / (', small, ' - length(', e, ')))::text'),
      text('(', e, ')::integer::text'),
    ),
    condition: fc.oneof(
      { depthSize: 'small' },
      text(e, fc.constantFrom(' = ', ' <> ', ' IS NOT DISTINCT FROM '), constant),
      text(e, fc.constantFrom(' = ', ' <> ', ' < ', ' >= '), e),
      text(e, ' LIKE ', pattern),
      text(e, ' IS NULL'),
      text(e, ' IN (', constant, ', ', constant, ')'),
      text(e, ' IN (SELECT ', e, ' FROM customers)'),
      text(e, ' BETWEEN ', e, ' AND ', e),
      text(e, ' = ANY (ARRAY[', constant, ', ', e, '])'),
      text('EXISTS (SELECT 1 FROM customers c WHERE ', p, ')'),
      text('(', p, ' AND ', p, ')'),
      text('(', p, ' OR ', p, ')'),
      text('NOT ', '(', p, ')'),
      text('(', p, ') IS TRUE'),
    ),
    inner: e,
  };
});

const source = fc.oneof(
  fc.constant('customers c'),
  fc.constant('(SELECT * FROM customers) c'),
  fc.constant('(SELECT id, name, phone, ssn, score, left(email, 3) AS email FROM customers) c'),
  fc.constant('(SELECT id, email AS name, name AS email, ssn AS phone, phone AS ssn, score FROM customers) c'),
  fc.constant(
    '(SELECT id, score, email, email AS phone, name, name AS ssn FROM customers UNION ALL SELECT id, score, name, name, email, ssn FROM customers) c',
  ),
  text(
    'customers c JOIN (SELECT id AS other, email AS mail, name AS called FROM customers) d ON ',
    fc.constantFrom(
      'c.email = d.mail',
      'c.name = d.called',
      'c.id = d.other',
      'c.email = d.called',
      'c.email < d.mail',
    ),
  ),
  text('customers c LEFT JOIN orders o ON o.customer_id = c.', fc.constantFrom('id', 'score')),
  fc.constant('(SELECT area AS email, address AS name, name AS phone, id, id AS score, area AS ssn FROM contacts) c'),
);

const where = fc.option(text(' WHERE ', condition), { nil: '' });
const order = fc.oneof(
  fc.constant(''),
  text(' ORDER BY ', expression),
  fc.constant(' ORDER BY 1'),
  fc.constant(' ORDER BY c.id'),
);
const limit = fc.option(text(' LIMIT ', small), { nil: '' });

const rows = fc.tuple(fc.array(expression, { minLength: 1, maxLength: 3 }), source, where, order, limit);
const plain = rows.map(
  ([list, from, filter, sorted, most]) =>
    `SELECT ${list.map((one, at) => `${one} AS o${at}`).join(', ')}, c.id AS row FROM ${from}${filter}${sorted}${most}`,
);
const counted = fc.tuple(source, where).map(([from, filter]) => `SELECT count(*) FROM ${from}${filter}`);
const grouped = fc
  .tuple(expression, source, where)
  .map(([key, from, filter]) => `SELECT count(*) FROM ${from}${filter} GROUP BY ${key}`);
const distinct = fc
  .tuple(expression, source)
  .map(([one, from]) => `SELECT count(*) FROM (SELECT DISTINCT ${one} FROM ${from}) q`);
const set = fc
  .tuple(fc.constantFrom('UNION', 'UNION ALL', 'EXCEPT', 'INTERSECT'), expression, expression)
  .map(([how, a, b]) => `SELECT count(*) FROM (SELECT ${a} FROM customers c ${how} SELECT ${b} FROM customers c) q`);
const wrapped = fc
  .tuple(
    expression,
    source,
    fc.constantFrom('q.v', 'count(*)', 'max(q.v)', 'upper(q.v)'),
    fc.constantFrom('', " WHERE q.v = 'C'", " WHERE q.v = 'nobody'", ' WHERE q.v IS NULL', ' ORDER BY q.v LIMIT 1'),
  )
  .map(([one, from, outer, filter]) => `SELECT ${outer} FROM (SELECT ${one} AS v FROM ${from}) q${filter}`);
const common = fc
  .tuple(expression, source, condition)
  .map(
    ([one, from, filter]) =>
      `WITH c AS (SELECT ${one} AS email, id::text AS name, 1 AS id, 1 AS score, 'x'::text AS phone, 'y'::text AS ssn FROM ${from}) SELECT count(*), min(name) FROM c WHERE ${filter}`,
  );
const windowed = fc
  .tuple(expression, source)
  .map(([one, from]) => `SELECT c.id, row_number() OVER (ORDER BY ${one}) FROM ${from}`);
const expanded = fc
  .tuple(expression, source)
  .map(([one, from]) => `SELECT count(*) FROM ${from}, LATERAL generate_series(1, length(${one})) g`);

/** Only what may be done with a labelled value that is not shown: all of these must come back hidden where they must. */
const { mild } = fc.letrec<{ mild: string }>((tie) => {
  const e = tie('mild');
  return {
    mild: fc.oneof(
      { depthSize: 'small' },
      { weight: 4, arbitrary: column },
      constant.map((one) => `${one}::text`),
      text('upper(', e, ')'),
      text('(', e, ' || ', e, ')'),
      text('coalesce(', e, ', ', e, ')'),
      text('substr(', e, ', ', small, ', ', small, ')'),
      text('length(', e, ')::text'),
      text('md5(', e, ')'),
      text('(', e, ')::varchar(', small, ')::text'),
      text('to_json(', e, ')::text'),
      text('(CASE WHEN c.id = ', small, ' THEN ', e, ' ELSE ', e, ' END)'),
      text('(SELECT ', e, ' FROM customers WHERE id = ', small, ')'),
      text('(SELECT string_agg(', e, ", ',' ORDER BY id) FROM customers)"),
      text('(SELECT json_agg(row(', e, ', ', e, ') ORDER BY id) FROM customers)::text'),
      text('(SELECT count(', e, ') FROM customers)::text'),
      text('lag(', e, ') OVER (ORDER BY c.id)'),
      text('(ARRAY[', e, ', ', e, '])[', small, ']'),
    ),
  };
});
const asked = fc.constantFrom(
  '',
  " WHERE email = 'nobody'",
  " WHERE ssn IN ('none', 'm')",
  ' WHERE phone IS NOT NULL',
  " WHERE email IS DISTINCT FROM 'm'",
);
const hidden = fc
  .tuple(fc.array(mild, { minLength: 1, maxLength: 4 }), source, asked)
  .map(
    ([list, from, filter]) => `SELECT ${list.map((one, at) => `${one} AS o${at}`).join(', ')} FROM ${from}${filter}`,
  );
const hiddenBelow = fc
  .tuple(
    hidden,
    hidden,
    fc.constantFrom('q.o0', 'q.*', 'upper(q.o0), q', 'r.o0, count(*) OVER ()', 'to_json(q), r.*', 'q.o0 || r.o0'),
  )
  .map(([one, two, list]) => `WITH q AS (${one}) SELECT ${list} FROM q, (${two}) r`);

export const randomQuery: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: plain },
  counted,
  grouped,
  distinct,
  set,
  { weight: 2, arbitrary: wrapped },
  common,
  windowed,
  expanded,
  { weight: 8, arbitrary: hidden },
  { weight: 6, arbitrary: hiddenBelow },
);
