// Masked values: an agent that read them may not write them back over the real ones, in whatever way it tries.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../harness/gateway.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import { bind, cellsOf, execute, message, parse, query, RawPostgres, shown, sync } from '../harness/raw-postgres.ts';

const strategies = { pii: 'partial', phone: 'redact', national: 'hash', card: 'token' };
const real = { email: 'ada@example.com', phone: '+44 20 7946 0958', national: 'AB123456C', card: '4111111111111111' };
const columns = Object.keys(real) as (keyof typeof real)[];

let postgres: TestPostgres;
let gateway: TestGateway;
let client: RawPostgres;
let masked: Record<string, string>;

beforeAll(async () => {
  postgres = await createTestPostgres({
    log: true,
    init: `CREATE TABLE people (id int PRIMARY KEY, email text, phone text, national text, card text, note text);
      INSERT INTO people VALUES (1, ${columns.map((column) => `'${real[column]}'`).join(', ')}, 'free')`,
  });
  gateway = await createTestGateway({
    postgres,
    policies: `@id("all") permit (principal, action in [Action::"connect", Action::"read", Action::"write"], resource);`,
    labels: {
      pii: ['shop.*.people.email'],
      phone: ['shop.*.people.phone'],
      national: ['shop.*.people.national'],
      card: ['shop.*.people.card'],
    },
    strategies,
  });
  client = await RawPostgres.login(gateway, await gateway.token({ sub: 'agent', kind: 'agent' }));
  client.send(query(`SELECT ${columns.join(', ')} FROM people`));
  const [row] = (await client.until('Z')).filter(({ type }) => type === 'D').map(cellsOf);
  masked = Object.fromEntries(columns.map((column, index) => [column, row?.[index] ?? '']));
});
afterAll(async () => {
  client?.end();
  await gateway?.stop();
  await postgres?.stop();
});

async function refused(...parts: readonly Uint8Array[]): Promise<void> {
  client.send(...parts);
  const seen = (await client.until('Z')).map(shown);
  expect(seen.slice(-2)).toEqual(['E:42501', 'Z:I']);
}

test('what came back is masked, in every column', () => {
  for (const column of columns) {
    expect(masked[column]).toBeTruthy();
    expect(masked[column]).not.toBe(real[column]);
  }
});

describe.each(columns)('the mask of %s is not written', (column) => {
  const literal = (): string => `'${masked[column]?.replaceAll("'", "''")}'`;

  test('by UPDATE, INSERT or a comment beside it', async () => {
    await refused(query(`UPDATE people SET ${column} = ${literal()} WHERE id = 1`));
    await refused(query(`UPDATE people SET note = 'see ' || ${literal()} WHERE id = 1`));
    await refused(query(`INSERT INTO people (id, ${column}) VALUES (2, ${literal()})`));
  });

  test('as a parameter', async () => {
    const text = `UPDATE people SET ${column} = $1 WHERE id = 1`;
    await refused(parse('', text), bind('', '', [masked[column] ?? '']), execute(''), sync);
  });

  test('by COPY, also in two parts', async () => {
    const row = Buffer.from(`3\t${masked[column]}\n`);
    const middle = 2 + Math.floor(Buffer.byteLength(masked[column] ?? '') / 2);
    for (const parts of [
      [row],
      [row.subarray(0, middle), row.subarray(middle)],
      [...row].map((byte) => Buffer.from([byte])),
    ]) {
      client.send(query(`COPY people (id, ${column}) FROM STDIN`));
      await client.until('G');
      client.send(...parts.map((part) => message('d', part)), message('c'));
      expect((await client.until('Z')).map(shown)).toEqual(['E:42501', 'Z:I']);
    }
    client.send(query('SELECT count(*) FROM people'));
    expect((await client.until('Z')).filter(({ type }) => type === 'D').map(cellsOf)).toEqual([['1']]);
  });
});

test('real values are written as ever, and the old ones are still there', async () => {
  client.send(query("INSERT INTO people (id, email, note) VALUES (9, 'grace@example.com', 'new')"));
  expect((await client.until('Z')).map(shown)).toEqual(['C:INSERT 0 1', 'Z:I']);
  expect(await postgres.sql('SELECT email, phone, national, card, note FROM people WHERE id = 1')).toEqual([
    { ...real, note: 'free' },
  ]);
  const log = (await postgres.statements()).map(({ text }) => text).join('\n');
  for (const column of columns) expect(log).not.toContain(masked[column]);
});
