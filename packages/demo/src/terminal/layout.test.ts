import { Writable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { harmless, ink } from './ink.ts';
import { displayWidth, looseJson, table, wrap } from './layout.ts';

describe('wrap', () => {
  it('keeps every word, in order, within the width', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1, maxLength: 40 }), (words) => {
        const lines = wrap(words.join(' '), 20);
        expect(lines.join(' ').split(' ')).toEqual(words);
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(20);
      }),
    );
  });

  it('breaks a word that is wider than the line', () => {
    expect(wrap(`a ${'x'.repeat(25)} b`, 10)).toEqual(['a', 'x'.repeat(10), 'x'.repeat(10), 'xxxxx b']);
  });

  it('keeps line breaks', () => {
    expect(wrap('a\nb', 80)).toEqual(['a', 'b']);
  });
});

describe('table', () => {
  it('aligns columns, also with wide characters and nulls', () => {
    const lines = table(
      [
        { name: '佐藤さくら', tier: 'gold' },
        { name: 'Zoé', tier: null },
      ],
      5,
    );
    expect(lines).toEqual(['name        tier', '佐藤さくら  gold', 'Zoé         ∅']);
    expect(displayWidth('佐藤さくら')).toBe(10);
  });

  it('says how many rows it left out', () => {
    expect(table([{ a: 1 }, { a: 2 }, { a: 3 }], 1)).toEqual(['a', '1', '… 2 more']);
    expect(table([], 1)).toEqual(['(no rows)']);
  });

  it('spells out what could steer the terminal or mislead the eye', () => {
    expect(table([{ a: '\u001b[2Jx\u202eyz' }], 1)[1]).toBe('\\u{1b}[2Jx\\u{202e}yz');
  });
});

it('puts blanks into JSON, and leaves other texts alone', () => {
  expect(looseJson('{"a":[1,"x\\ny"]}')).toBe('{ "a": [ 1, "x\\ny" ] }');
  expect(looseJson('a,b')).toBe('a,b');
});

it('never lets a control character through', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(harmless(text).replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
    }),
  );
});

it('paints nothing on streams that are no terminals', () => {
  expect(ink(new Writable()).bold('plain')).toBe('plain');
});
