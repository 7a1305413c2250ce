import { describe, expect, test } from 'vitest';
import { MeaningError } from '../meaning/error.ts';
import { CatalogCache } from './cache.ts';
import type { QueryRunner } from './catalog.ts';
import type { Lineage } from './column-labels.ts';
import * as queries from './queries.ts';

const labels = { of: () => [], all: () => [] };
const lineage: Lineage = { ofView: () => [], ofGenerated: () => [] };
const many = (count: number, row: (n: number) => (string | null)[]) => Array.from({ length: count }, (_, n) => row(n));

/** Just enough of a catalog to be believed. */
function server(): { run: QueryRunner; asked: string[]; answers: Map<string, (string | null)[][]> } {
  const asked: string[] = [];
  const answers = new Map<string, (string | null)[][]>([
    [queries.version, [['150000', 'UTF8']]],
    [queries.schemas, [['11', 'pg_catalog']]],
    [queries.relations, many(60, (n) => [`${n}`, '11', `r${n}`, 'r', 'p', 'true', 'false', 'false'])],
    [queries.columns, many(60, (n) => [`${n}`, '1', 'a', '25', '-1', ''])],
    [
      queries.functions,
      many(1000, (n) => [
        `${n}`,
        '11',
        `f${n}`,
        'f',
        'i',
        'internal',
        'false',
        'false',
        '25',
        '',
        '0',
        'false',
        null,
        null,
        'true',
        null,
        null,
      ]),
    ],
    [queries.types, many(100, (n) => [`${n}`, '11', `t${n}`, 'b', '0', '0', '0', 'true'])],
  ]);
  const run: QueryRunner = async (text) => {
    asked.push(text);
    return answers.get(text) ?? [];
  };
  return { run, asked, answers };
}

const unavailable = { name: MeaningError.name, code: 'catalog_unavailable', sqlstate: '55000' };

describe('the catalog of a target', () => {
  test('refuses before it was read', () => {
    const cache = new CatalogCache('shop', server().run, labels, lineage);
    expect(() => cache.current()).toThrow(expect.objectContaining(unavailable));
  });

  test('counts its refreshes', async () => {
    const cache = new CatalogCache('shop', server().run, labels, lineage);
    expect((await cache.ready()).epoch).toBe(1);
    expect((await cache.ready()).epoch).toBe(1);
    expect((await cache.refresh()).epoch).toBe(2);
    expect(cache.current().relation('pg_catalog', 'r7')?.columns).toMatchObject([{ name: 'a' }]);
  });

  test('refuses when it comes back empty or incomplete, or not at all, and recovers', async () => {
    const { run, answers } = server();
    const relations = answers.get(queries.relations) ?? [];
    const cache = new CatalogCache('shop', run, labels, lineage);
    await cache.refresh();
    answers.set(queries.relations, []);
    await expect(cache.refresh()).rejects.toMatchObject(unavailable);
    expect(() => cache.current()).toThrow(expect.objectContaining(unavailable));
    answers.set(queries.relations, [...relations, ['61', '11', 'odd', '?', 'p', 'true', 'false', 'false']]);
    await expect(cache.refresh()).rejects.toMatchObject(unavailable);
    const failing = new CatalogCache('shop', () => Promise.reject(new Error('gone')), labels, lineage);
    await expect(failing.ready()).rejects.toMatchObject(unavailable);
    answers.set(queries.relations, relations);
    expect((await cache.refresh()).epoch).toBe(2);
  });

  test('is read by one refresh at a time, and a later caller gets a later one', async () => {
    const { run, asked } = server();
    const cache = new CatalogCache('shop', run, labels, lineage);
    const first = cache.refresh();
    const [second, third] = [cache.refresh(), cache.refresh()];
    expect((await first).epoch).toBe(1);
    expect(await second).toBe(await third);
    expect((await second).epoch).toBe(2);
    expect(asked.filter((text) => text === queries.version)).toHaveLength(2);
  });

  test('is none once it was said to be stale', async () => {
    const cache = new CatalogCache('shop', server().run, labels, lineage);
    await cache.refresh();
    cache.invalidate();
    expect(() => cache.current()).toThrow(expect.objectContaining(unavailable));
  });
});
