import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pins } from '@sluice/core/contract/pins.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { prepareStore } from '../../../../test/harness/prepared-store.ts';
import { memoryPins } from './memory-pins.ts';
import { pinRows } from './pins.ts';
import { openStore } from './store.ts';
import type { Store } from './store-port.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };
let folder: string;
let store: Store;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-test-pins-'));
  await prepareStore(folder);
  store = await openStore({ kind: 'embedded', dir: folder }, quiet);
});

afterAll(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

const kinds: [string, () => Pins][] = [
  ['in the store', () => pinRows(store, { now: () => 1 })],
  ['in memory', memoryPins],
];

describe.each(kinds)('pins %s', (_, create) => {
  it('are taken once, and replaced only by whoever knows what is there', async () => {
    const pins = create();
    expect(await pins.put('crm', 'tool:find', '{"a":1}')).toBe(true);
    expect(await pins.put('crm', 'tool:find', '{"a":2}')).toBe(false);
    expect(await pins.put('crm', 'tool:find', '{"a":2}', '{"a":0}')).toBe(false);
    expect(await pins.put('crm', 'tool:other', '{}', '{"a":1}')).toBe(false);
    expect([...(await pins.of('crm'))]).toEqual([['tool:find', '{"a":1}']]);
    expect(await pins.put('crm', 'tool:find', '{"a":2}', '{"a":1}')).toBe(true);
    expect([...(await pins.of('crm'))]).toEqual([['tool:find', '{"a":2}']]);
  });

  it('of one target are not those of another', async () => {
    const pins = create();
    await pins.put('one', 'constructor', 'x');
    expect([...(await pins.of('two'))]).toEqual([]);
    expect(await pins.put('two', 'constructor', 'y')).toBe(true);
    expect([...(await pins.of('one'))]).toEqual([['constructor', 'x']]);
  });

  it('are taken by one of many that try at once', async () => {
    const pins = create();
    const taken = await Promise.all([1, 2, 3, 4, 5].map((n) => pins.put('race', 'tool', `${n}`)));
    expect(taken.filter(Boolean)).toEqual([true]);
  });
});
