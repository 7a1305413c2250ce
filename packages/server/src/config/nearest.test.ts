import fc from 'fast-check';
import { expect, test } from 'vitest';
import { editDistance, nearest } from './nearest.ts';

test.each([
  ['adress', 'address'],
  ['ADDRESS', 'address'],
  ['tagret', 'target'],
  ['x', undefined],
  ['', undefined],
  ['nothing like it', undefined],
])('%j means %s', (word, expected) => {
  expect(nearest(word, ['address', 'target', 'tls', 'credential'])).toBe(expected);
});

test.each([
  ['', '', 0],
  ['', 'abc', 3],
  ['ab', 'ba', 1],
  ['kitten', 'sitting', 3],
])('from %j to %j it takes %i', (a, b, distance) => {
  expect(editDistance(a, b)).toBe(distance);
});

test('distance is symmetric, and no more than the longer word', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
      expect(editDistance(a, b) === 0).toBe(a === b);
    }),
  );
});
