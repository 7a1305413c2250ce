// Ways to see a labelled value, or a part of one, in an answer. Each row: the statement, and what must come of it.
// `masked`: it runs, and no part of a value is in what comes back, in any form. Rows are never removed.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { RawPostgres } from '../harness/raw-postgres.ts';
import { ask, leaked, openShop, outcomeOf, rowsOf, type Shop } from './masking-fixture.ts';

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

describe('what is computed from labelled values shows nothing, not even whether it is null', () => {
  test.each([
    ['a part with the shape of an e-mail', "SELECT substr(email, 3, 1) || 'aa@x.com' FROM customers"],
    ['a part under the name of the column', "SELECT substr(email, 5) || 'aaaa@x.com' AS email FROM customers"],
    ['in a subquery', "SELECT e FROM (SELECT substr(email, 3, 1) || 'aa@x.com' AS e FROM customers) q"],
    ['in WITH', "WITH q AS MATERIALIZED (SELECT right(email, 9) || 'a@x.com' AS e FROM customers) SELECT e FROM q"],
    ['by format', "SELECT format('%s', email) FROM customers"],
    ['reversed', 'SELECT reverse(email) FROM customers'],
    ['a hash', 'SELECT md5(email) FROM customers'],
    ['an element', 'SELECT tags[1] FROM customers'],
    ['a member', "SELECT prefs ->> 'k' FROM customers"],
    ['a test', "SELECT coalesce((email = 'x')::text, 'none') FROM customers"],
    ['all in one', "SELECT string_agg(email, ',') FROM customers"],
    ['a constant that a test puts there', "SELECT CASE WHEN email = 'x' THEN 'yes' ELSE NULL END FROM customers"],
    ['NULLIF', "SELECT nullif(email, 'zelda.quark@secretmail.com') FROM customers"],
    ['UNION ALL', 'SELECT body FROM notes UNION ALL SELECT email FROM customers'],
    ['VALUES', 'VALUES ((SELECT email FROM customers WHERE id = 1))'],
    [
      'a recursive query',
      "WITH RECURSIVE r(n, e) AS (SELECT 1, 'a' UNION ALL SELECT n + 1, c.email FROM r, customers c WHERE n < 2) SELECT e FROM r",
    ],
    ['a part made by a view', 'SELECT tail FROM addresses_again'],
  ])('%s', async (_, text) => {
    const answer = await ask(client, text);
    expect(outcomeOf(answer)).toBe('done');
    expect(leaked(answer)).toEqual([]);
    const seen = new Set(rowsOf(answer).map((row) => JSON.stringify(row)));
    expect([...seen].filter((row) => !['["#*masked*#"]', '["\\"#*masked*#\\""]', '[null]'].includes(row))).toEqual([]);
    expect(seen.size).toBe(1);
  });
});

describe('masked', () => {
  test.each([
    'SELECT * FROM customers',
    'TABLE customers',
    'SELECT email AS id, id AS email FROM customers',
    'SELECT U&"em\\0061il" FROM customers',
    'SELECT * FROM vips',
    'SELECT address FROM addresses_again',
    'SELECT * FROM everybody',
    'SELECT loud FROM shouted',
    'SELECT card_number FROM payments',
    'SELECT c FROM customers c',
    'SELECT c.* FROM customers c',
    'SELECT (c).email FROM customers c',
    'SELECT ((c)).* FROM customers c',
    'SELECT email(c) FROM customers c',
    'SELECT c::text FROM customers c',
    'SELECT row(email, 1) FROM customers',
    'SELECT to_json(c), to_jsonb(c), row_to_json(c) FROM customers c',
    'SELECT json_agg(c) FROM customers c',
    "SELECT JSON_OBJECT('e': email), JSON_ARRAY(phone) FROM customers",
    'SELECT JSON_ARRAY(SELECT email FROM customers)',
    'SELECT xmlelement(name a, email), xmlforest(phone) FROM customers',
    'SELECT ARRAY(SELECT email FROM customers), array_agg(phone) FROM customers',
    'SELECT (array_agg(c))[1].email FROM customers c',
    'SELECT email COLLATE "C", email::varchar(3), email::name FROM customers',
    'SELECT x.note FROM customers c, LATERAL (SELECT c.email AS note) x',
    'SELECT (SELECT c.email) FROM customers c',
    'SELECT q.e FROM (SELECT email AS e FROM customers OFFSET 0) q',
    'SELECT get_customer(1)',
    'SELECT (get_customer(1)).*',
    'SELECT folded()',
    'EXPLAIN SELECT folded()',
    'EXPLAIN (VERBOSE) SELECT * FROM notes WHERE body = folded()',
    'EXPLAIN (ANALYZE, VERBOSE, FORMAT JSON) SELECT email FROM customers',
    'SELECT j.email FROM (customers c JOIN payments p USING (id)) AS j',
    'SELECT * FROM customers NATURAL JOIN payments',
    'SELECT * FROM customers c FULL JOIN contacts d USING (email)',
    "UPDATE plain SET txt = 'x' FROM customers c WHERE plain.id = c.id RETURNING c.email, to_json(c)",
    "UPDATE customers SET name = 'Z' WHERE id = 1 RETURNING old.email, new.email, old, to_json(new)",
    "UPDATE customers SET name = 'Z' WHERE id = 1 RETURNING WITH (OLD AS o, NEW AS n) o.phone || '', n.*",
    "MERGE INTO notes n USING customers c ON n.id = c.id WHEN MATCHED THEN UPDATE SET body = 'c' RETURNING *",
    "INSERT INTO contacts VALUES (1, 'q@b.com') ON CONFLICT (id) DO UPDATE SET email = excluded.email RETURNING *",
    'SELECT query FROM pg_stat_activity',
    'SELECT * FROM pg_stat_get_activity(NULL)',
    'COPY customers TO STDOUT',
    'COPY customers (email, tags) TO STDOUT (FORMAT binary)',
    "COPY (SELECT email || 'x', to_json(c) FROM customers c) TO STDOUT (FORMAT csv, HEADER, FORCE_QUOTE *)",
    'COPY (SELECT * FROM customers c JOIN payments p USING (id)) TO STDOUT',
    'COPY (SELECT * FROM (customers c JOIN payments p USING (id)) AS j (a, b, c, d, e)) TO STDOUT',
    'COPY (SELECT * FROM customers NATURAL JOIN payments) TO STDOUT',
  ])('%s', async (text) => {
    const answer = await ask(client, text);
    expect(outcomeOf(answer)).toBe('done');
    expect(answer.some(({ type }) => type === 'D' || type === 'd')).toBe(true);
    expect(leaked(answer)).toEqual([]);
  });
});

describe('RETURNING * gives no position the label of another', () => {
  const sources = [
    "UPDATE orders o SET note = 'x' FROM customers c JOIN payments p USING (id) WHERE o.id = c.id RETURNING *",
    'DELETE FROM notes n USING customers c JOIN payments p USING (id) WHERE n.id = c.id RETURNING *',
    "MERGE INTO plain n USING customers c ON n.id = c.id WHEN MATCHED THEN UPDATE SET txt = 'd' RETURNING *",
    "MERGE INTO plain n USING (customers c JOIN payments p USING (id)) ON n.id = c.id WHEN MATCHED THEN UPDATE SET txt = 'd' RETURNING *",
  ];

  test.each(sources)('COPY (%s)', async (text) => {
    await shop.postgres.sql("DELETE FROM notes; INSERT INTO notes VALUES (1, 'plain')");
    const answer = await ask(client, `COPY (${text}) TO STDOUT`);
    expect(outcomeOf(answer)).toBe('done');
    expect(answer.some(({ type }) => type === 'd')).toBe(true);
    expect(leaked(answer)).toEqual([]);
  });

  test.each(sources)('under other names: %s', async (text) => {
    for (let at = 0; at < 10; at++) {
      await shop.postgres.sql("DELETE FROM notes; INSERT INTO notes VALUES (1, 'plain')");
      const names = Array.from({ length: 10 }, (_, index) => `c${index}`);
      const answer = await ask(client, `WITH u(${names.join()}) AS (${text}) SELECT c${at}::text || '1' FROM u`);
      expect(leaked(answer)).toEqual([]);
    }
  });
});

describe('with strategies that keep values apart', () => {
  test('two values that the client makes can not be told from each other', async () => {
    const other = await openShop({ strategies: { 'pii.email': 'token', 'pii.phone': 'hash' } });
    const reader = await other.login('readers');
    const whole = rowsOf(await ask(reader, 'SELECT email, email, phone FROM customers ORDER BY id'));
    expect(new Set(whole.map(([email]) => email)).size).toBe(3);
    expect(whole.every(([email, again]) => email === again)).toBe(true);
    for (const made of ['left(email, 1)', "left(email, 0) || 'z'", 'left(phone, 4)', "coalesce(left(phone, 0), 'z')"]) {
      const rows = rowsOf(await ask(reader, `SELECT ${made} FROM customers`));
      expect(new Set(rows.map(([cell]) => cell))).toEqual(new Set(['#*masked*#']));
    }
    reader.end();
    await other.stop();
  });
});

describe('who may see one label sees that one, and nothing that holds another', () => {
  test('side by side', async () => {
    const mailer = await shop.login('readers', 'mailers');
    const [row] = rowsOf(await ask(mailer, 'SELECT email, phone, email || phone FROM customers WHERE id = 2'));
    expect(row).toEqual(['yorick.blume@hidden.org', '#***#32', '#*masked*#']);
    expect(outcomeOf(await ask(mailer, "SELECT id FROM customers WHERE email LIKE 'z%'"))).toBe('done');
    expect(outcomeOf(await ask(mailer, "SELECT id FROM customers WHERE phone LIKE '+%'"))).toBe('refused');
    mailer.end();
  });
});

describe('ordinary statements are not in the way of it', () => {
  test.each([
    'SELECT id, name FROM customers ORDER BY id',
    'SELECT id FROM customers WHERE email = $$zelda.quark@secretmail.com$$',
    "SELECT id FROM customers WHERE lower(email) = lower('ZELDA.quark@secretmail.com')",
    "SELECT id FROM customers WHERE email IN ('a', 'yorick.blume@hidden.org') AND phone IS NOT NULL",
    'SELECT c.id, o.note FROM customers c JOIN orders o ON o.email = c.email',
    'SELECT count(*), max(id) FROM customers',
    "SELECT txt || '!', length(txt), replace(txt, 'l', 'x'), substring(txt from '^h'), split_part(txt, 'l', 1) FROM plain",
    "SELECT format(txt || '%s', 1), trim(both 'h' from txt), nullif(txt, 'hello') FROM plain",
    'SELECT \'{"hello": 1}\'::jsonb -> txt, (ARRAY[1, 2])[id] FROM plain',
    "INSERT INTO plain VALUES (9, 'nine') RETURNING *",
    'UPDATE plain SET txt = upper(txt) || substr(txt, 1, 1) WHERE id = 9 RETURNING txt',
    'DELETE FROM plain WHERE id = 9 RETURNING id',
  ])('%s', async (text) => {
    const seer = await shop.login('seers');
    await shop.postgres.sql('DELETE FROM plain WHERE id = 9');
    if (!text.startsWith('INSERT')) await shop.postgres.sql("INSERT INTO plain VALUES (9, 'nine')");
    const expected = rowsOf(await ask(seer, `BEGIN; ${text}; ROLLBACK`));
    expect(rowsOf(await ask(client, text))).toEqual(expected);
    expect(expected.length).toBeGreaterThan(0);
    seer.end();
  });
});
