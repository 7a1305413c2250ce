import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fingerprintText, fingerprintUuid, isMasked, mayHoldMask } from './sentinel.ts';

describe('the write-back guard', () => {
  test.each([
    'j#***#@#***#.com',
    '{"card":"#***#1111"}',
    '#*MASKED*#',
    'x masked_t0123456789abcdef y',
    'MASKED_H0123456789ABCDEF0123456789ABCDEF',
    '6D61736B-1234-8123-9123-123456789ABC',
    '{6d61736b123481239123123456789abc}',
  ])('recognises %s', (masked) => {
    expect(isMasked(masked)).toBe(true);
  });

  test.each([
    'select 1 /*** banner ***/',
    '#****************************#',
    '#### ***bold*** ####',
    '**** **** **** 1111',
    'j***@***.com',
    '[masked]',
    'masked_internationalization',
    'masked_hash text not null',
    'select a #* b',
    '3f2b8c1e-9d4a-4c57-8e21-5a6b7c8d9e0f',
    '6d61736b-9d4a-4c57-8e21-5a6b7c8d9e0f',
  ])('takes %s for data', (plain) => {
    expect(isMasked(plain)).toBe(false);
  });

  test('takes what random generators make for data', () => {
    fc.assert(
      fc.property(fc.oneof(fc.uuid(), fc.emailAddress(), fc.string({ unit: 'binary' })), (plain) => {
        expect(isMasked(plain)).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  test('answers in linear time on text made to slow it down', () => {
    for (const part of ['#*', 'masked_h0123456789', '6d61736b-', '#*maske']) {
      expect(isMasked(part.repeat(300_000))).toBe(false);
    }
  });
});

describe('what is said of bytes before a text is made of them', () => {
  const bytesOf = (text: string) => new TextEncoder().encode(text);
  const masks = ['#***#', '#*masked*#', '#*MASKED*#', 'Masked_t0123456789abcdef', '6D61736B12348123912312345678ABCD'];
  const noise = fc.uint8Array({ maxLength: 40 });

  test('is that they may hold a mask, whatever is around it', () => {
    fc.assert(
      fc.property(noise, fc.constantFrom(...masks), noise, (before, text, behind) => {
        const mask = bytesOf(text);
        const bytes = new Uint8Array([...before, ...mask, ...behind]);
        expect(mayHoldMask(bytes)).toBe(true);
      }),
    );
  });

  test('is that they may, wherever a mask is found in their text', () => {
    const pieces = fc.constantFrom(
      '#',
      '*',
      'mask',
      'ed',
      '_',
      'h0123456789abcdef',
      '6d6',
      '1736B',
      '-',
      '\ufeff',
      'ſ',
      'K',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const bytes = bytesOf(parts.join(''));
        if (isMasked(new TextDecoder().decode(bytes))) expect(mayHoldMask(bytes)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    '',
    '#',
    '* #',
    'mask',
    'unmasking_h',
    'b_b_b',
    '6d61736c',
    'a # of snake_case words',
    '#* masked *#',
    '#**#',
  ])('is that they hold none: %j', (text) => {
    expect(mayHoldMask(bytesOf(text))).toBe(false);
  });
});

describe('fingerprints', () => {
  const digest = Uint8Array.from({ length: 32 }, (_, index) => index * 7);

  test('shrink to what a short column holds, but never so far that they would collide', () => {
    expect(fingerprintText('hash', digest, Number.POSITIVE_INFINITY)).toHaveLength(40);
    expect(fingerprintText('token', digest, 30)).toHaveLength(24);
    expect(fingerprintText('token', digest, 23)).toBeUndefined();
  });

  test('keep over 80 bits apart in a UUID', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        expect(fingerprintUuid(bytes)).toMatch(/^6d61736b-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
        expect(isMasked(fingerprintUuid(bytes))).toBe(true);
        const other = Uint8Array.from(bytes);
        other[10] = (other[10] ?? 0) ^ 0x10;
        expect(fingerprintUuid(other)).not.toBe(fingerprintUuid(bytes));
      }),
    );
  });
});
