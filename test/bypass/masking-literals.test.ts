// What is known of a statement is used for others that differ from it in their literals only. Here a statement that may
// be asked comes often enough to be known, and then one of the same shape that may not. Rows are never removed.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bind, execute, fieldsOf, parse, type RawPostgres, sync } from '../harness/raw-postgres.ts';
import { recordedEvents, sessionRecordings } from '../harness/recorded-events.ts';
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

/** Asks it with each of the values that may be asked, twice over. */
async function makeKnown(text: (value: string) => string, values: readonly string[]): Promise<void> {
  for (const value of [...values, ...values]) expect(outcomeOf(await ask(client, text(value)))).not.toBe('refused');
}

describe('a value that changes the meaning', () => {
  test.each<[string, (value: string) => string, readonly string[], string]>([
    ['the column to sort by', (n) => `SELECT id, email FROM customers ORDER BY ${n}`, ['1'], '2'],
    [
      'the column to sort by, behind others',
      (n) => `SELECT id, name, email FROM customers ORDER BY ${n}`,
      ['1', '2'],
      '3',
    ],
    [
      'the query inside a string',
      (q) => `SELECT query_to_xml('${q}', true, true, '')`,
      [],
      'SELECT email FROM customers',
    ],
    ['the column to group by', (n) => `SELECT id, email FROM customers GROUP BY id, ${n}`, ['1'], '2'],
    ['the column to be distinct by', (n) => `SELECT DISTINCT ON (${n}) id, email FROM customers`, ['1'], '2'],
    [
      'the column to sort a union by',
      (n) => `TABLE regions UNION ALL SELECT id, email FROM customers ORDER BY ${n}`,
      ['1'],
      '2',
    ],
    [
      'the column to sort by, inside',
      (n) => `SELECT id FROM (SELECT id, email FROM customers ORDER BY ${n}) q`,
      ['1'],
      '2',
    ],
    [
      'the column to sort by, in WITH',
      (n) => `WITH q AS (SELECT id, email FROM customers ORDER BY ${n}) SELECT id FROM q`,
      ['1'],
      '2',
    ],
    [
      'the column to sort by, on the way into a table',
      (n) =>
        `INSERT INTO notes SELECT id, name FROM (SELECT id, name, email FROM customers WHERE id < 0 ORDER BY ${n}) q`,
      ['1', '2'],
      '3',
    ],
    ['the column to sort by, explained', (n) => `EXPLAIN SELECT id, email FROM customers ORDER BY ${n}`, ['1'], '2'],
    [
      'the column to sort by, prepared',
      (n) => `PREPARE p AS SELECT id, email FROM customers ORDER BY ${n}`,
      ['1'],
      '2',
    ],
    [
      'the column to sort by, copied',
      (n) => `COPY (SELECT id, email FROM customers ORDER BY ${n}) TO STDOUT`,
      ['1'],
      '2',
    ],
    [
      'the column to sort by, of a cursor',
      (n) => `DECLARE c CURSOR FOR SELECT id, email FROM customers ORDER BY ${n}`,
      ['1'],
      '2',
    ],
    ['how wide a value is to be', (f) => `SELECT format('${f}', 1, email) FROM customers`, ['%s %s', 'x'], '%*s'],
    ['which setting is set', (name) => `SELECT set_config('${name}', 'x', true)`, ['application_name'], 'role'],
    [
      'what a sequence is named',
      (name) => `SELECT * FROM customers WHERE id = 0 AND '${name}'::regclass IS NULL`,
      [],
      'x',
    ],
  ])('is looked at each time: %s', async (_, text, known, wanted) => {
    await makeKnown(text, known);
    const answer = await ask(client, text(wanted));
    expect(outcomeOf(answer)).not.toBe('done');
    expect(leaked(answer)).toEqual([]);
  });

  test.each<[string, (value: string) => string, readonly string[], string]>([
    ['a condition', (v) => `SELECT id, email FROM customers WHERE name = '${v}'`, ['a', 'b', 'c'], 'Zelda'],
    ['a limit', (n) => `SELECT id, email FROM customers LIMIT ${n}`, ['0', '1', '2'], '3'],
    ['a part of a value', (n) => `SELECT left(email, ${n}), email FROM customers`, ['0', '1', '2'], '30'],
    ['a choice', (n) => `SELECT CASE ${n} WHEN 7 THEN email ELSE name END FROM customers`, ['1', '2', '3'], '7'],
    ['a place in a list', (n) => `SELECT (ARRAY[name, email])[${n}] FROM customers`, ['1', '3', '1'], '2'],
  ])('of %s opens nothing that it did not open before', async (_, text, known, wanted) => {
    await makeKnown(text, known);
    const answer = await ask(client, text(wanted));
    expect(leaked(answer)).toEqual([]);
  });
});

/** After texts of the shape `name = 'a'` and `id = 1`, what a program that pastes values together may send. */
describe('a value that is more than a value', () => {
  const byName = (v: string): string => `SELECT id, email FROM customers WHERE name = '${v}'`;
  const byId = (v: string): string => `SELECT id, email FROM customers WHERE id = ${v}`;
  test.each<[string, (value: string) => string, string, string | RegExp]>([
    ['its end', byName, "a' OR email LIKE 'z%", 'refused'],
    ['an end behind what is no escape', byName, "a\\' OR email LIKE 'z%", 'refused'],
    ['an end behind doubled quotes', byName, "a''' OR email LIKE 'z%", 'refused'],
    ['an end, and a comment with a quote in it', byName, "a' OR /* ' */ email LIKE 'z%", 'refused'],
    ['an end, and a comment up to the end', byName, "a' OR email LIKE 'z%' -- ", 'refused'],
    ['an end, and a comment up to the next line', byName, "a' -- '\n OR email LIKE 'z%", 'refused'],
    ['an end, and an escape string', byName, "a' OR email LIKE E'\\x7a%", 'refused'],
    ['an end, and a string in dollars', byName, "a' OR email LIKE $$z%$$ OR name = '", 'refused'],
    ['an end, and a union', byName, "a' UNION SELECT id, phone FROM customers WHERE name = 'a", 'refused'],
    ['an end, and an order', byName, "a' ORDER BY email, '", /refused|E:/],
    ['an end, and another statement', byName, "a'; SELECT id FROM customers WHERE email > 'm", 'refused'],
    ['no end, as it goes on in the next line', byName, "a'\n'b", 'done'],
    ['an end, and another string behind a comment', byName, "a' -- OR email LIKE\n'z%", 'E:42601'],
    ['a condition', byId, "1 OR email LIKE 'z%'", 'refused'],
    ['a condition without a blank', byId, "1OR email LIKE 'z%'", /refused|E:42601/],
    ['a condition behind a comment', byId, "1--\nOR email LIKE 'z%'", 'refused'],
    ['a condition behind an empty comment', byId, "1/**/OR/**/email/**/LIKE/**/'z%'", 'refused'],
    ['a condition in what looks like a comment in a comment', byId, "1 /* /* */ 2 */ OR email LIKE 'z%'", 'refused'],
    ['a column', byId, '1.email', /E:/],
    ['an operator', byId, '1 - length(email)', 'refused'],
    ['a sign that makes one comment of two', byId, "-1 --1 OR\n OR email LIKE 'z%'", 'refused'],
    ['a larger number', byId, '99999999999999999999', 'done'],
    ['a number in other signs', byId, '0x1', /done|E:/],
    ['a number with a fraction', byId, '1.', 'done'],
  ])('means what it says: %s', async (_, text, value, outcome) => {
    const known = text === byName ? ['a', 'b', 'c'] : ['1', '2', '3', '-1', '-2', '-3', '-1 - 1', '-2 - 2', '-3 - 3'];
    await makeKnown(text, known);
    const answer = await ask(client, text(value));
    if (typeof outcome === 'string') expect(outcomeOf(answer)).toBe(outcome);
    else expect(outcomeOf(answer)).toMatch(outcome);
    expect(leaked(answer)).toEqual([]);
  });
});

describe('a masked value', () => {
  test('is found in a statement of a known shape, and not written back', async () => {
    const [row] = rowsOf(await ask(client, 'SELECT email FROM customers WHERE id = 1'));
    const masked = row?.[0] ?? '';
    expect(masked).not.toBe('');
    const update = (value: string): string => `UPDATE notes SET body = '${value}' WHERE id = 1`;
    await makeKnown(update, ['a', 'b', 'c']);
    const answer = await ask(client, update(masked));
    const error = answer.find(({ type }) => type === 'E');
    expect(error && fieldsOf(error)['D']).toContain('sluice:write-back');
    expect(rowsOf(await ask(client, 'SELECT body FROM notes WHERE id = 1'))).toEqual([['c']]);
  });
});

describe('a masked value', () => {
  test.each<[string, (value: string) => string]>([
    ['in a list of values', (v) => `INSERT INTO notes VALUES (-1, 'x'), (-2, '${v}')`],
    ['inside a longer one', (v) => `UPDATE notes SET body = 'to ${v}, as ever' WHERE id = -1`],
    ['in another case', (v) => `UPDATE notes SET body = '${v.toUpperCase()}' WHERE id = -1`],
    ['in a condition', (v) => `DELETE FROM notes WHERE id = -1 AND body = '${v}'`],
    ['in a query that writes', (v) => `WITH w AS (UPDATE notes SET body = '${v}' WHERE id = -1 RETURNING id) SELECT 1`],
    ['at the very end', (v) => `UPDATE notes SET id = -1 WHERE id = -1 AND body = '${v}' ; `],
  ])('is found in a statement of a known shape, prepared or not: %s', async (_, text) => {
    const [row] = rowsOf(await ask(client, 'SELECT email FROM customers WHERE id = 1'));
    const masked = row?.[0] ?? '';
    const prepare = async (each: string) => {
      client.send(parse('', each), sync);
      return client.until('Z');
    };
    for (const send of [(each: string) => ask(client, each), prepare]) {
      for (const value of ['a', 'b', 'c']) expect(outcomeOf(await send(text(value)))).toBe('done');
      const error = (await send(text(masked))).find(({ type }) => type === 'E');
      expect(error && fieldsOf(error)['D']).toContain('sluice:write-back');
      expect(outcomeOf(await send(text('d')))).toBe('done');
    }
    await ask(client, 'DELETE FROM notes WHERE id < 0');
  });
});

describe('what is known of a shape', () => {
  const text = (id: number): string => `SELECT name FROM plain_or_not WHERE id = ${id}`;

  test('is not what a name meant on another path', async () => {
    await shop.postgres.sql('CREATE TABLE other.plain_or_not (id int, name text)');
    await shop.postgres.sql('CREATE VIEW public.plain_or_not AS SELECT id, email AS name FROM customers');
    const elsewhere = await shop.login('admins');
    await ask(elsewhere, 'SET search_path = other');
    for (const id of [1, 2, 3]) expect(outcomeOf(await ask(elsewhere, text(id)))).toBe('done');
    await ask(elsewhere, 'SET search_path = public');
    const answer = await ask(elsewhere, text(1));
    expect(leaked(answer)).toEqual([]);
    expect(rowsOf(answer)).toHaveLength(1);
    elsewhere.end();
  });

  test('is not what one may see who may see more', async () => {
    const seer = await shop.login('seers');
    const query = (id: number): string => `SELECT phone FROM customers WHERE id = ${id}`;
    for (const id of [1, 2, 1, 3]) expect(leaked(await ask(seer, query(id)))).not.toEqual([]);
    seer.end();
    for (const id of [1, 2, 3, 4]) expect(leaked(await ask(client, query(id)))).toEqual([]);
  });

  test('is recorded in the words of each', async () => {
    const seen = await shop.login('admins');
    for (const id of [11, 12, 13, 14]) await ask(seen, `SELECT txt FROM plain WHERE id = ${id}`);
    for (const id of [15, 16]) {
      seen.send(parse('', `SELECT txt FROM plain WHERE id = ${id}`), bind('', ''), execute(''), sync);
      await seen.until('Z');
    }
    for (const value of ['a', 'b', 'c', '#*masked*#'])
      await ask(seen, `UPDATE notes SET body = '${value}' WHERE id = 21`);
    seen.end();
    const paths = await sessionRecordings(shop.gateway.dir);
    const events = (await Promise.all(paths.map(recordedEvents))).flat();
    const texts = events.flatMap((event) => (event['type'] === 'action' ? (event['text'] as string[]) : []));
    for (const id of [11, 12, 13, 14, 15, 16]) expect(texts).toContain(`SELECT txt FROM plain WHERE id = ${id}`);
    const refused = events.filter((event) => event['type'] === 'action' && event['effect'] === 'deny');
    expect(refused.flatMap((event) => event['text'])).toContain("UPDATE notes SET body = '#*masked*#' WHERE id = 21");
  });
});
