// What policy may read about an action: always the declared attributes, always declared resources, and what is in them.

import { MeaningCache } from '@sluice/connectors/postgres/meaning/cache.ts';
import { MeaningError } from '@sluice/connectors/postgres/meaning/error.ts';
import { interpret } from '@sluice/connectors/postgres/meaning/interpret.ts';
import type { StatementMeaning } from '@sluice/connectors/postgres/meaning/statement.ts';
import { sqlDeclarations } from '@sluice/connectors/sql/verbs.ts';
import type { ContextValue } from '@sluice/core/domain/action.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import { calls } from './corpus-calls.ts';
import { definitions } from './corpus-definitions.ts';
import { reads } from './corpus-reads.ts';
import { session } from './corpus-session.ts';
import { writes } from './corpus-writes.ts';
import { openSample, type Sample, schema } from './sample.ts';

let server: TestPostgres;
let sample: Sample;

beforeAll(async () => {
  server = await createTestPostgres({ init: schema });
  sample = await openSample(server.url);
});
afterAll(async () => {
  await sample?.close();
  await server?.stop();
});

const texts = [...reads, ...calls, ...writes, ...definitions, ...session].map(([text]) => text);

function meaningsOf(text: string): readonly StatementMeaning[] {
  try {
    return interpret(text, sample.context);
  } catch (error) {
    if (error instanceof MeaningError) return [];
    throw error;
  }
}

function only(text: string): StatementMeaning {
  const [meaning, ...more] = interpret(text, sample.context);
  if (meaning === undefined || more.length > 0) throw new Error('not one statement');
  return meaning;
}

function contextOf(text: string): Readonly<Record<string, ContextValue>> {
  return only(text).actions[0]?.context ?? {};
}

function typeOf(value: ContextValue): string {
  if (typeof value === 'boolean') return 'Bool';
  if (typeof value === 'number') return 'Long';
  return typeof value === 'string' ? 'String' : 'Set<String>';
}

describe('actions', () => {
  test('are as they were declared: verb, access class, resource types, every attribute and no other', () => {
    const declared = new Map(sqlDeclarations.actions.map((action) => [action.verb, action]));
    const parents = new Map(sqlDeclarations.resources.map((resource) => [resource.type, resource.parents]));
    for (const text of texts) {
      for (const action of meaningsOf(text).flatMap(({ actions }) => actions)) {
        const declaration = declared.get(action.verb);
        expect(declaration?.access, text).toBe(action.access);
        expect(
          Object.fromEntries(Object.entries(action.context).map(([name, value]) => [name, typeOf(value)])),
          text,
        ).toEqual(declaration?.context);
        for (const value of Object.values(action.context)) {
          if (Array.isArray(value)) expect(value, text).toEqual([...new Set(value)].sort());
        }
        for (const resource of action.resources) {
          expect(declaration?.resources, `${text}: ${action.verb}`).toContain(resource.type);
          if (resource.parent !== undefined) expect(parents.get(resource.type), text).toContain(resource.parent.type);
        }
      }
    }
  });

  test('come with the tables, also behind views and in partitions, the columns and the functions', () => {
    expect(contextOf('SELECT address FROM contacts_again WHERE id = lookup(1)::int')).toMatchObject({
      tables: ['public.contacts', 'public.contacts_again', 'public.customers', 'public.vips'],
      columns: ['public.contacts_again.address', 'public.contacts_again.id'],
      functions: ['public.lookup'],
    });
    expect(contextOf('SELECT email FROM logs')).toMatchObject({ tables: ['public.logs', 'public.logs_1'] });
    expect(contextOf("UPDATE orders SET note = 'x' WHERE id = 1")).toMatchObject({
      columns: ['public.orders.id', 'public.orders.note'],
    });
  });

  test.each([
    ['SELECT * FROM orders LIMIT 10', true],
    ['SELECT * FROM orders LIMIT $1', true],
    ['SELECT * FROM orders FETCH FIRST ROW ONLY', true],
    ['SELECT * FROM orders LIMIT ALL', false],
    ['SELECT * FROM orders LIMIT NULL', false],
    ['SELECT * FROM orders OFFSET 10', false],
    ['SELECT * FROM (SELECT * FROM orders LIMIT 1) q', false],
  ])('say whether rows are limited: %s', (text, limited) => {
    expect(contextOf(text)['has_limit']).toBe(limited);
  });
});

describe('a statement', () => {
  test('carries its own slice, and where a copy goes', () => {
    const [first, second] = interpret(" /* é */ SELECT 'é' ; SELECT 2 -- x", sample.context);
    expect([first?.text, second?.text]).toEqual(["SELECT 'é'", 'SELECT 2 -- x']);
    expect(only("COPY customers (name, email) TO STDOUT (FORMAT csv, DELIMITER ';', NULL 'N', HEADER)").copy).toEqual({
      direction: 'to',
      endpoint: 'client',
      format: 'csv',
      columns: [
        { name: 'name', labels: [], type: 25, typmod: -1 },
        { name: 'email', labels: ['pii.email'], type: 25, typmod: -1 },
      ],
      delimiter: ';',
      nullText: 'N',
      quote: '"',
      escape: '"',
      header: true,
    });
    expect(only('COPY (SELECT upper(email), id FROM customers) TO STDOUT').copy?.columns).toEqual([
      { name: 'upper', labels: ['pii.email'] },
      { name: 'id', labels: [] },
    ]);
    expect(only('COPY customers FROM STDIN').copy?.columns.map(({ name }) => name)).not.toContain('shouted');
  });

  test('has a digest of the schema it touches and a fingerprint without its constants', () => {
    const [one, two] = [only('SELECT * FROM orders WHERE id = 1'), only('SELECT * FROM orders WHERE id = 2')];
    expect(one.fingerprint()).toBe(two.fingerprint());
    expect(one.schemaDigest).toBe(two.schemaDigest);
    expect(only('SELECT * FROM customers').schemaDigest).not.toBe(one.schemaDigest);
  });

  test('that touches labelled data has its errors scrubbed, and so has one that nobody can see into', () => {
    for (const text of [
      'SELECT id FROM customers',
      'DELETE FROM vips',
      'SELECT lookup(1)',
      'DO $$begin end$$',
      'SELECT * FROM contacts_again',
      "INSERT INTO customers (email) VALUES ('a')",
      'CREATE UNIQUE INDEX ON customers (email)',
    ]) {
      expect(only(text).scrubErrors, text).toBe(true);
    }
    for (const text of ['SELECT 1', 'SELECT * FROM orders', 'SELECT * FROM monitoring.checks', 'BEGIN']) {
      expect(only(text).scrubErrors, text).toBe(false);
    }
  });
});

describe('the cache of meanings', () => {
  test('gives the same meaning for the same text, and another under another path, role or catalog', () => {
    const cache = new MeaningCache();
    const text = 'SELECT * FROM customers';
    const first = cache.interpret(text, sample.context);
    expect(cache.interpret(text, { ...sample.context })).toBe(first);
    const elsewhere = cache.interpret(text, { ...sample.context, searchPath: ['pg_catalog', 'evil', 'public'] });
    expect(elsewhere[0]?.actions[0]?.resources[0]?.id).toBe('shop/evil/customers');
    expect(cache.interpret(text, { ...sample.context, role: 'bob' })).not.toBe(first);
  });

  test.each(['\u0001', '\u0000', ',', '","', '" "'])(
    'keeps a path apart from one of names that are joined by %j',
    (sign) => {
      const cache = new MeaningCache();
      const under = (searchPath: readonly string[]) =>
        cache.interpret('SELECT * FROM customers', { ...sample.context, searchPath });
      expect(under(['pg_catalog', 'public', 'evil'])).not.toBe(under(['pg_catalog', `public${sign}evil`, 'public']));
      expect(under(['pg_catalog', 'public', 'evil'])).not.toBe(under([`pg_catalog${sign}public`, 'public', 'evil']));
      expect(under(['public', 'evil'])).not.toBe(under([`public${sign}evil`, 'public']));
    },
  );

  test('keeps nothing that a name of the session or an open transaction takes part in', () => {
    const cache = new MeaningCache();
    const overlay = { changes: [{ kind: 'gone', schema: 'public', name: 'customers' }] } as const;
    expect(() => cache.interpret('SELECT * FROM customers', { ...sample.context, overlay })).toThrow(MeaningError);
    const [one, two] = ['SELECT 1', 'DELETE FROM orders'].map((text) =>
      cache.interpret('EXECUTE p', { ...sample.context, prepared: () => ({ text }) }),
    );
    expect(one?.[0]?.actions[0]?.verb).toBe('sql:compute');
    expect(two?.[0]?.actions[0]?.verb).toBe('sql:delete');
    expect(cache.size).toBe(0);
  });

  test('stays within its bounds', () => {
    const cache = new MeaningCache({ entries: 10, characters: 100_000 });
    for (let n = 0; n < 100; n += 1)
      cache.interpret(`SELECT x.y FROM (SELECT NULL AS y) x, (SELECT NULL AS c${n}) z`, sample.context);
    expect(cache.size).toBe(10);
    for (let n = 0; n < 100; n += 1) cache.interpret(`SELECT 1 AS c${n}`, sample.context);
    expect(cache.size).toBe(10 + 10);
  });

  test('keeps a text of a known shape when it comes twice in a row', () => {
    const cache = new MeaningCache();
    for (let n = 0; n < 100; n += 1) cache.interpret(`SELECT ${n}`, sample.context);
    const few = cache.size;
    expect(few).toBeLessThan(5);
    const twice = [1, 2].map(() => cache.interpret('SELECT 7', sample.context));
    expect(cache.size).toBe(few + 1);
    expect(cache.interpret('SELECT 7', sample.context)).toBe(twice[1]);
  });
});
