import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CellShape } from '../contract/labels.ts';
import { createCellMasker } from './masker.ts';
import { parseStrategies } from './strategy.ts';

const digests = {
  sha256: () => new Uint8Array(32),
  sha256Into: () => {},
  sha256Hex: () => '',
  keyedHash: () => new Uint8Array(32),
};
const masker = createCellMasker({
  strategies: parseStrategies({ 'pii.name': 'partial', 'pii.email2': 'hash' }),
  digests,
  scope: 'run',
});
const text: CellShape = { kind: 'text' };

/** What the short way gives for the value, which lies between others; undefined where it does not know it. */
function short(label: string, value: Uint8Array): string | undefined {
  const mask = masker.plain?.([label], text);
  if (!mask) throw new Error('there is no short way');
  const from = Buffer.concat([Buffer.from('aa@b.cc9'), value, Buffer.from('aa@b.cc9')]);
  const before = Buffer.from(from);
  const into = Buffer.alloc(mask.longest + 6, 0x7e);
  const end = mask.write(from, 8, 8 + value.length, into, 3);
  expect(from).toEqual(before);
  expect(into.subarray(0, 3).toString()).toBe('~~~');
  expect(into.subarray(3 + mask.longest).toString()).toBe('~~~');
  return end < 0 ? undefined : into.toString('utf8', 3, end);
}

const piece = fc.stringMatching(/^[a-cA-Z0-9.@"[\] \t+()/éß😀\0\x7f_-]{0,10}$/u);
const address = fc
  .tuple(fc.stringMatching(/^[a-z0-9]{0,5}[a-z0-9.é_-]{0,3}$/u), piece, fc.stringMatching(/^[a-zA-Z1.é]{0,14}$/u))
  .chain(([local, odd, top]) =>
    fc.constantFrom(`${local}@example.${top}`, `${local}${odd}@b.${top}`, `${local}@${odd}.${top}`, `${local}${odd}`),
  );
const long = fc
  .tuple(fc.integer({ min: 60, max: 67 }), fc.integer({ min: 250, max: 258 }), fc.integer({ min: 0, max: 14 }))
  .map(([local, domain, top]) => `${'a'.repeat(local)}@${'b'.repeat(domain)}.${'c'.repeat(top)}`);
const number = fc
  .tuple(
    fc.constantFrom('', '+', '++', ' ', '+ '),
    fc.stringMatching(/^[0-9]{0,9}[ ().\-/+é\t]{0,2}[0-9]{0,9}[0-9 ]{0,24}$/u),
  )
  .map(([sign, digits]) => sign + digits);
const name = fc.oneof(piece, fc.stringMatching(/^[A-Za-z]{3,5}[ é😀]{0,2}[a-z]{0,9}$/u));

describe('the short way to a partial mask', () => {
  test.each([
    ['pii.email', fc.oneof(address, long)],
    ['pii.phone', number],
    ['pii.name', name],
  ])('gives what the long one gives: %s', (label, values) => {
    let known = 0;
    fc.assert(
      fc.property(fc.oneof({ weight: 5, arbitrary: values }, address, number, name), (value) => {
        const found = short(label, Buffer.from(value));
        if (found === undefined) return;
        known++;
        expect(found).toBe(masker.mask([label], text, value));
        // What may stand in a mask is what formats are told that they need not quote.
        expect(found).toMatch(/^[0-9A-Za-z#*@.]+$/);
      }),
      { numRuns: 5_000 },
    );
    expect(known).toBeGreaterThan(300);
  });

  test.each([
    ['pii.email', ['ada@example.com', 'customer.1@example.com', 'x1y2+tag@mail.example.co']],
    ['pii.phone', ['+49 30 1000001', '5550100', '(030) 12-34/56', '+123456789012345678']],
    ['pii.name', ['Lovelace', 'Ada1 L']],
  ])('knows what is usual: %s', (label, values) => {
    for (const value of values) expect(short(label, Buffer.from(value))).toBe(masker.mask([label], text, value));
  });

  test.each([
    [
      'pii.email',
      ['', 'a', 'a@b.cd', 'ab@b.cd', ' ada@b.cd', 'ada@b.cd ', 'a"a@b.cd', 'ada@[1.2].cd', 'ada@b@c.de', 'ádá@b.cd'],
    ],
    ['pii.phone', ['', '+', '123456', ' 1234567', '1234567 ', '12345678901234567890', '1234567x', '+49\t30 100']],
    ['pii.name', ['', 'Ada', ' Love', 'Ada-', 'Adalé']],
  ])('leaves to the long one what is not: %s', (label, values) => {
    for (const value of values) expect(short(label, Buffer.from(value))).toBeUndefined();
  });

  test('takes no bytes for a text that are none', () => {
    for (const label of ['pii.email', 'pii.phone', 'pii.name']) {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 40 }), fc.constantFrom('abcd', 'abcd@b.', '1234567'), (bytes, start) => {
          const value = Buffer.concat([Buffer.from(start), bytes]);
          const found = short(label, value);
          if (found !== undefined) expect(value.every((byte) => byte < 0x80)).toBe(true);
        }),
        { numRuns: 2_000 },
      );
    }
  });

  test('is there only where the mask has room and shows a part', () => {
    const shapes: CellShape[] = [
      { kind: 'json' },
      { kind: 'uuid' },
      { kind: 'other' },
      { kind: 'text', maxLength: 20 },
    ];
    for (const shape of shapes) expect(masker.plain?.(['pii.email'], shape)).toBeUndefined();
    expect(masker.plain?.(['pii.email'], { kind: 'text', maxLength: 25 })).toBeDefined();
    for (const labels of [['pii.email2'], ['pii.ssn'], ['pii.email', 'pii.phone'], ['pii.email', 'pii.ssn']]) {
      expect(masker.plain?.(labels, text)).toBeUndefined();
    }
  });
});
