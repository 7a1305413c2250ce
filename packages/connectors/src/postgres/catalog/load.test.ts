import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseTextArray } from './load.ts';

/** As array_out writes text[] (arrays, "Array Input and Output Syntax"). */
function arrayOut(items: readonly string[]): string {
  const quote = (item: string): string =>
    item === '' || /[\s{},"\\]/.test(item) || item.toLowerCase() === 'null'
      ? `"${item.replaceAll(/["\\]/g, (char) => `\\${char}`)}"`
      : item;
  return `{${items.map(quote).join(',')}}`;
}

describe('an array as the server writes it', () => {
  test('is read back whole', () => {
    fc.assert(
      fc.property(fc.array(fc.string()), (items) => {
        expect(parseTextArray(arrayOut(items))).toEqual(items);
      }),
    );
  });

  test('is empty for a null', () => {
    expect(parseTextArray(null)).toEqual([]);
    expect(parseTextArray('{}')).toEqual([]);
  });
});
