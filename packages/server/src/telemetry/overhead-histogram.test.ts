import { readFileSync } from 'node:fs';
import { AggregatorRegistry } from 'prom-client';
import { expect, it } from 'vitest';
import { createMetrics } from './metrics.ts';

it('counts what each stage took into cumulative buckets', async () => {
  const { registry, overhead } = createMetrics();
  for (const micros of [0.5, 3, 3, 40, 2_000_000]) overhead.spent('postgres', 'decide', micros);
  const lines = (await registry.metrics()).split('\n').filter((line) => line.includes('stage="decide"'));
  const value = (le: string) =>
    Number(
      lines
        .find((line) => line.includes(`le="${le}"`))
        ?.split(' ')
        .at(-1),
    );
  expect(['0.000001', '0.000005', '0.00005', '0.1', '+Inf'].map(value)).toEqual([1, 3, 4, 4, 5]);
  expect(lines.find((line) => line.startsWith('sluice_overhead_seconds_count'))).toMatch(/ 5$/);
  const sum = lines.find((line) => line.startsWith('sluice_overhead_seconds_sum'));
  expect(Number(sum?.split(' ').at(-1))).toBeCloseTo(2.000_046_5, 9);
});

it('adds up over processes', async () => {
  const all = await Promise.all(
    [1, 2].map(async (times) => {
      const { registry, overhead } = createMetrics();
      for (let n = 0; n < times; n++) overhead.spent('ssh', 'record', 7);
      return (await registry.getMetricsAsJSON()) as unknown as object;
    }),
  );
  const text = await AggregatorRegistry.aggregate(all).metrics();
  expect(text).toMatch(/^sluice_overhead_seconds_count\{connector="ssh",stage="record"\} 3$/m);
  expect(text).toMatch(/^sluice_overhead_seconds_bucket\{connector="ssh",stage="record",le="0\.00001"\} 3$/m);
});

it('and all other metrics of our own are in the documentation', async () => {
  const { registry } = createMetrics();
  const page = readFileSync(new URL('../../../../docs/metrics.md', import.meta.url), 'utf8');
  const documented = new Set([...page.matchAll(/^\| `(sluice_[a-z_]+)`/gm)].map(([, name]) => name));
  const own = registry.getMetricsAsArray().map(({ name }) => name);
  expect([...documented].sort()).toEqual(own.filter((name) => name.startsWith('sluice_')).sort());
});
