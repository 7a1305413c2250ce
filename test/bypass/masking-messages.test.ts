// Labelled values in what the server says beside answers: errors, notices, notifications, of the statement itself and of
// what it sets off. Rows are never removed.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { bind, execute, fieldsOf, parse, type RawMessage, type RawPostgres, sync } from '../harness/raw-postgres.ts';
import { ask, leaked, openShop, outcomeOf, type Shop } from './masking-fixture.ts';

let shop: Shop;
let client: RawPostgres;

beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop?.stop());
beforeEach(async () => {
  client = await shop.login('readers');
});
afterEach(() => client.end());

const copied = 'UPDATE contacts c SET email = d.email FROM contacts d WHERE d.id = 2 AND c.id = 1';

function error(messages: readonly RawMessage[]): Record<string, string> {
  const found = messages.find(({ type }) => type === 'E');
  return found === undefined ? {} : fieldsOf(found);
}

describe('errors name no value', () => {
  test.each([
    ['of a constraint', "INSERT INTO customers (id, email) VALUES (9, 'zelda.quark@secretmail.com')", '23505'],
    ['of a trigger', "INSERT INTO watched VALUES (1, 'raise')", 'P0001'],
    ['of a row that a deletion takes along', 'DELETE FROM regions WHERE id = 1', '23503'],
    ['of a unique key that a copied value breaks', copied, '23505'],
  ])('%s', async (_, text, code) => {
    const answer = await ask(client, text);
    expect(error(answer)['C']).toBe(code);
    expect(leaked(answer)).toEqual([]);
    expect(error(answer)['D']).toBeUndefined();
  });

  test.each([
    ['COMMIT', ['BEGIN', 'SET CONSTRAINTS ALL DEFERRED', copied, 'COMMIT']],
    ['SET CONSTRAINTS', ['BEGIN', 'SET CONSTRAINTS ALL DEFERRED', copied, 'SET CONSTRAINTS ALL IMMEDIATE']],
    ['one string', [`BEGIN; SET CONSTRAINTS ALL DEFERRED; ${copied}; COMMIT`]],
  ])('put off to %s', async (_, texts) => {
    let answer: RawMessage[] = [];
    for (const text of texts) answer = await ask(client, text);
    expect(error(answer)['C']).toBe('23505');
    expect(leaked(answer)).toEqual([]);
  });

  test('put off to Sync', async () => {
    const texts = ['SET CONSTRAINTS ALL DEFERRED', copied];
    client.send(...texts.flatMap((text) => [parse('', text), bind('', ''), execute('')]), sync);
    const answer = await client.until('Z');
    expect(leaked(answer)).toEqual([]);
  });
});

describe('notices and notifications', () => {
  test('a trigger speaks and sends', async () => {
    await ask(client, 'LISTEN chan');
    const answer = await ask(client, "INSERT INTO watched VALUES (1, 'x')");
    expect(outcomeOf(answer)).toBe('done');
    expect(answer.map(({ type }) => type)).toEqual(expect.arrayContaining(['N', 'A']));
    expect(leaked(answer)).toEqual([]);
  });

  test('another session sends', async () => {
    await ask(client, 'LISTEN chan');
    await shop.postgres.sql("SELECT pg_notify('chan', email) FROM customers");
    let answer = await ask(client, 'SELECT 1');
    while (!answer.some(({ type }) => type === 'A')) answer = await ask(client, 'SELECT 1');
    expect(leaked(answer)).toEqual([]);
  });

  test('who may see everything gets the words themselves', async () => {
    const seer = await shop.login('seers');
    await ask(seer, 'LISTEN chan');
    const answer = await ask(seer, "INSERT INTO watched VALUES (1, 'x')");
    const told = answer.filter(({ type }) => type === 'N' || type === 'A').map(({ body }) => body.toString());
    expect(told).toEqual([expect.stringContaining('saw zelda.quark'), expect.stringContaining('zelda.quark')]);
    expect(error(await ask(seer, "INSERT INTO watched VALUES (1, 'raise')"))['M']).toContain('zelda.quark');
    seer.end();
  });
});

describe("the client's own mistakes are still told", () => {
  test.each([
    ["INSERT INTO plain VALUES (1, 'x')", '23505', 'Key (id)=(1) already exists.'],
    ["INSERT INTO plain VALUES (7, 'bad')", '23514', 'Failing row contains (7, bad).'],
    ["SELECT '{bad'::json", '22P02', 'Token "bad" is invalid.'],
    ["INSERT INTO plain VALUES ('x', 'y')", '22P02', undefined],
    ['SELECT 1 / (id - 1) FROM plain', '22012', undefined],
    ['SELECT nothing FROM plain', '42703', undefined],
  ])('%s', async (text, code, detail) => {
    const fields = error(await ask(client, text));
    expect(fields['C']).toBe(code);
    expect(fields['M']).not.toContain('details are hidden');
    expect(fields['D']).toBe(detail);
  });
});
