import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { takeLatencies } from './latencies.ts';
import { environmentOf, readResult } from './pgbench.ts';

const told = (transactions: number, failed: string) => `pgbench (15.18)
transaction type: <builtin: select only>
number of transactions actually processed: ${transactions}
number of failed transactions: ${failed}
latency average = 0.063 ms
initial connection time = 2.3 ms
tps = 15873.015873 (without initial connection time)
`;

describe('what pgbench tells', () => {
  test('is read', () => {
    expect(readResult(told(79_365, '0 (0.000%)'))).toEqual({
      transactions: 79_365,
      latency: 0.063,
      perSecond: 15_873.015873,
    });
    const connecting = told(10, '0 (0.000%)').replace('initial connection time = 2.3', 'average connection time = 4.5');
    expect(readResult(connecting)).toMatchObject({ connecting: 4.5 });
    expect(readResult(told(5, '0 (0.000%)').replace('processed: 5', 'processed: 5/5'))).toMatchObject({
      transactions: 5,
    });
  });

  test('is no figure when transactions failed or something is missing', () => {
    expect(() => readResult(told(10, '1 (10.000%)'))).toThrow(/expected/);
    expect(() => readResult('')).toThrow(/expected/);
  });

  test('is no rate when none was run', () => {
    const none = told(0, '0 (NaN%)').replace(/latency[\s\S]*/, '');
    expect(readResult(none)).toEqual({ transactions: 0, latency: Number.POSITIVE_INFINITY, perSecond: 0 });
  });

  test('about each transaction is read once', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-latencies-'));
    try {
      await writeFile(join(folder, 'latency.17'), '0 1 1500 0 1700000000 1\n1 1 250 0 1700000000 2\n');
      await writeFile(join(folder, 'latency.17.1'), '2 1 4000 0 1700000000 3\n');
      await writeFile(join(folder, 'other'), '2 1 9999 0 1700000000 3\n');
      expect((await takeLatencies(folder, 'latency')).toSorted()).toEqual([0.25, 1.5, 4]);
      expect(await readdir(folder)).toEqual(['other']);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

test('TLS is used where it is asked for, and only there', () => {
  const way = { host: '127.0.0.1', port: 1, user: 'u', password: 'p', database: 'd' };
  expect(environmentOf(way)).toMatchObject({ PGSSLMODE: 'disable' });
  expect(environmentOf({ ...way, ca: '/ca.crt' })).toMatchObject({ PGSSLMODE: 'verify-ca', PGSSLROOTCERT: '/ca.crt' });
});
