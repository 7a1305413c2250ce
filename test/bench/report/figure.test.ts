import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { median, quantile, ratios, slope, spread } from './figure.ts';

describe('figures', () => {
  test('have the middle of the samples as their median', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  test('have quantiles between the samples', () => {
    const samples = Array.from({ length: 101 }, (_, n) => n);
    expect(quantile(samples, 0.99)).toBe(99);
    expect(quantile([10, 20], 0.25)).toBe(12.5);
  });

  test('have no quantile outside of their spread, and are not put in another order', () => {
    const samples = fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1 });
    fc.assert(
      fc.property(samples, fc.double({ min: 0, max: 1, noNaN: true }), (all, share) => {
        const before = [...all];
        const [low, high] = spread(all);
        const found = quantile(all, share);
        expect(all).toEqual(before);
        expect(found).toBeGreaterThanOrEqual(low);
        expect(found).toBeLessThanOrEqual(high);
      }),
    );
  });

  test('are compared round by round, so that a machine that becomes slower changes no ratio', () => {
    const peer = { who: 'a', samples: [10, 20, 40] };
    expect(ratios({ who: 'b', samples: [11, 22, 44] }, peer)).toEqual([1.1, 1.1, 1.1]);
    expect(ratios({ who: 'b', samples: [11, 22] }, peer)).toHaveLength(2);
  });

  test('grow as steeply as the line that fits best', () => {
    expect(
      slope([
        [0, 1],
        [1, 3],
        [2, 5],
      ]),
    ).toBe(2);
    expect(slope([[1, 5]])).toBe(0);
  });
});
