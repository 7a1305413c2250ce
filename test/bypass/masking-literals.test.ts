// What is known of a statement is used for others that differ from it in their literals only. Here a statement that may
// be asked comes often enough to be known, and then one of the same shape that may not. Rows are never removed.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fieldsOf, type RawPostgres } from '../harness/raw-postgres.ts';
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
    seen.end();
    const paths = await sessionRecordings(shop.gateway.dir);
    const events = (await Promise.all(paths.map(recordedEvents))).flat();
    const texts = events.flatMap((event) => (event['type'] === 'action' ? (event['text'] as string[]) : []));
    for (const id of [11, 12, 13, 14]) expect(texts).toContain(`SELECT txt FROM plain WHERE id = ${id}`);
  });
});
