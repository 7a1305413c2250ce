import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Queue } from './queue.ts';

test('gives back what it was given, in order, whatever the turns of pushing and taking', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -3_000, max: 3_000 }), { maxLength: 20 }), (turns) => {
      const queue = new Queue<number>();
      const plain: number[] = [];
      let next = 0;
      for (const turn of turns) {
        for (let left = turn; left > 0; left--) {
          queue.push(next);
          plain.push(next++);
        }
        for (let left = -turn; left > 0; left--) expect(queue.shift()).toBe(plain.shift());
        expect(queue.length).toBe(plain.length);
        expect(queue.first).toBe(plain[0]);
      }
    }),
    { numRuns: 50 },
  );
});
