import { beforeEach, describe, expect, test } from 'vitest';
import type { CatalogCache } from './catalog/cache.ts';
import type { Catalog } from './catalog/catalog.ts';
import { FreshCatalog } from './fresh-catalog.ts';

let now: number;
/** What the server says about its state, and how often it was asked; an answer can be kept back. */
let state: string;
let asked: number;
let reads: number;
let release: (() => void) | undefined;
let keepBack: boolean;

beforeEach(() => {
  now = 100_000;
  state = 'one';
  asked = 0;
  reads = 0;
  release = undefined;
  keepBack = false;
});

function catalog(onRefresh?: () => Promise<void>): FreshCatalog {
  const cache = {
    current: () => ({}) as Catalog,
    refresh: async () => {
      reads++;
      return {} as Catalog;
    },
  } as unknown as CatalogCache;
  const run = async (): Promise<(string | null)[][]> => {
    asked++;
    const answer = [[state]];
    if (keepBack) {
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    }
    return answer;
  };
  return new FreshCatalog(cache, run, { now: () => now }, onRefresh);
}

describe('a catalog with an age', () => {
  test('is relied on for a while once the server was asked', async () => {
    const fresh = catalog();
    await fresh.freshen();
    expect(fresh.freshen()).toBeUndefined();
    expect([asked, reads]).toEqual([1, 1]);
    now += 5_000;
    await fresh.freshen();
    expect([asked, reads]).toEqual([2, 1]);
  });

  test('that somebody else doubts is asked for anew by whoever comes next', async () => {
    const fresh = catalog();
    await fresh.freshen();
    state = 'two';
    fresh.doubt();
    await fresh.freshen();
    expect([asked, reads]).toEqual([2, 2]);
    expect(fresh.freshen()).toBeUndefined();
  });

  test('is not settled by a question that was asked before the doubt', async () => {
    const fresh = catalog();
    keepBack = true;
    const before = fresh.freshen();
    keepBack = false;
    state = 'two';
    fresh.doubt();
    const after = fresh.freshen();
    await after;
    expect(asked).toBe(2);
    release?.();
    await before;
    // The late answer is the older one: it makes nothing of the newer one undone that is relied on.
    fresh.doubt();
    await fresh.freshen();
    expect(asked).toBe(3);
  });

  test('nor by one whose answer comes when nobody has asked again yet', async () => {
    const fresh = catalog();
    keepBack = true;
    const before = fresh.freshen();
    keepBack = false;
    fresh.doubt();
    release?.();
    await before;
    expect(fresh.freshen()).toBeInstanceOf(Promise);
  });

  test('tells others of a refresh before the server is asked, and waits until they know', async () => {
    const order: string[] = [];
    const fresh = catalog(async () => {
      await Promise.resolve();
      order.push(`told after ${asked}`);
    });
    await fresh.refresh();
    order.push(`asked ${asked}`);
    expect(order).toEqual(['told after 0', 'asked 1']);
  });
});
