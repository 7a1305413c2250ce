// Values that nobody labelled are found by their look, in every way a result can come back.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../harness/gateway.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import { bind, cstring, execute, int16, message, parse, query, RawPostgres, sync } from '../harness/raw-postgres.ts';

const mail = 'jane.doe@example.com';
const card = '4111111111111111';
const policies = `
@id("all") permit (principal, action in [Action::"connect", Action::"read"], resource);
@id("support") permit (principal in Group::"support", action == Action::"reveal", resource == Label::"pii.email");
@id("operate") permit (principal in Group::"operators", action, resource);
`;

let postgres: TestPostgres;
let gateway: TestGateway;

beforeAll(async () => {
  postgres = await createTestPostgres({
    init: `CREATE TABLE tickets (id int, body text, tags text[], doc jsonb, short varchar(22));
      INSERT INTO tickets VALUES (1, 'Write to ${mail}, card ${card}', ARRAY['x', '${mail}'],
        '{"from": "${mail}", "n": 7}', '${mail}'), (2, 'nothing to see', ARRAY['y'], '{"n": 8}', 'plain')`,
  });
  gateway = await createTestGateway({
    postgres,
    policies,
    labels: { 'pii.other': ['shop.public.none.none'] },
    detect: ['pii.email', 'pci.card'],
  });
});
afterAll(async () => {
  await gateway?.stop();
  await postgres?.stop();
});

async function answer(...parts: readonly Uint8Array[]): Promise<string> {
  const client = await RawPostgres.login(gateway, await gateway.token({ sub: 'agent', kind: 'agent' }));
  client.send(...parts);
  const seen = await client.until('Z');
  client.end();
  expect(seen.some(({ type }) => type === 'E')).toBe(false);
  return Buffer.concat(seen.map(({ body }) => body)).toString('latin1');
}

const binary = message('B', cstring(''), cstring(''), int16(0), int16(0), int16(1), int16(1));

describe('what looks like a labelled value', () => {
  test.each([
    ['a text answer', [query('SELECT * FROM tickets ORDER BY id')]],
    ['a binary answer', [parse('', 'SELECT * FROM tickets ORDER BY id'), binary, execute(''), sync]],
    ['a described portal', [parse('', 'SELECT body, doc FROM tickets'), bind('', ''), execute(''), sync]],
    ['a whole row', [query('SELECT t FROM tickets t')]],
    ['JSON made of it', [query('SELECT to_json(t) FROM tickets t')]],
    ['an expression', [query("SELECT 'x' || body FROM tickets")]],
    ['COPY as text', [query('COPY tickets TO STDOUT')]],
    ['COPY as CSV', [query('COPY tickets TO STDOUT (FORMAT csv)')]],
    ['COPY in binary', [query('COPY tickets TO STDOUT (FORMAT binary)')]],
    ['COPY of a query', [query('COPY (SELECT body, doc FROM tickets) TO STDOUT')]],
  ])('is masked in %s', async (_, parts) => {
    const seen = await answer(...parts);
    expect(seen).not.toContain(mail);
    expect(seen).not.toContain(card);
  });

  test('is left alone where there is none, and where it may be revealed', async () => {
    const client = await gateway.connect({ sub: 'sam', groups: ['support'] });
    const { rows } = await client.query('SELECT id, body, doc, short FROM tickets ORDER BY id');
    await client.end();
    expect(rows[1]).toEqual({ id: 2, body: 'nothing to see', doc: { n: 8 }, short: 'plain' });
    expect(rows[0]).toMatchObject({ doc: { from: mail, n: 7 }, short: mail });
    expect(rows[0].body).toContain(mail);
    expect(rows[0].body).not.toContain(card);
  });
});
