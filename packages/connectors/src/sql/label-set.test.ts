import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { containsLabels, joinAllLabels, joinLabels, sameLabels } from './label-set.ts';

const labels = fc
  .uniqueArray(fc.constantFrom('pci', 'pii.email', 'pii.phone', 'secret'))
  .map((list): readonly string[] => list.sort());

describe('sets of labels', () => {
  test('join to the sorted union, whatever the order', () => {
    fc.assert(
      fc.property(labels, labels, (a, b) => {
        const union = [...new Set([...a, ...b])].sort();
        expect(joinLabels(a, b)).toEqual(union);
        expect(joinAllLabels([b, a, b])).toEqual(union);
        expect(containsLabels(joinLabels(a, b), a)).toBe(true);
        expect(sameLabels(joinLabels(a, b), joinLabels(b, a))).toBe(true);
      }),
    );
  });
});
