import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { safeJson, visible, visibleLines } from './visible.ts';

const harmful = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const anything = fc.string({ unit: 'binary' });

describe('visible text', () => {
  it.each([
    ['\u001b[31mred', '\\u{1b}[31mred'],
    ['a\u009b2Jb', 'a\\u{9b}2Jb'],
    ['\u202eevil\u2066', '\\u{202e}evil\\u{2066}'],
    ['zero\u200bwidth\ufeff', 'zero\\u{200b}width\\u{feff}'],
    ['tag\u{e0041}', 'tag\\u{e0041}'],
    ['variation\ufe0f', 'variation\\u{fe0f}'],
    ['filler\u3164\u2800', 'filler\\u{3164}\\u{2800}'],
    ['no\u00a0break', 'no\\u{a0}break'],
    ['line\u2028separator', 'line\\u{2028}separator'],
    ['\ud800 alone', '\\u{d800} alone'],
    ['two\nlines\t.', 'two\\u{a}lines\\u{9}.'],
    ['Zoë, 東京 and 😀 stay', 'Zoë, 東京 and 😀 stay'],
  ])('spells out %j', (text, shown) => {
    expect(visible(text)).toBe(shown);
  });

  it('keeps line feeds and tabs of a block', () => {
    expect(visibleLines('a\n\tb\r\nc')).toEqual(['a', '\tb\\u{d}', 'c']);
  });

  it('never lets anything harmful through', () => {
    fc.assert(
      fc.property(anything, (text) => {
        expect(visible(text)).not.toMatch(harmful);
        for (const line of visibleLines(text)) expect(line.replaceAll('\t', '')).not.toMatch(harmful);
        expect(safeJson({ [text]: [text] })).not.toMatch(harmful);
      }),
    );
  });

  it('leaves JSON the same for a parser', () => {
    fc.assert(
      fc.property(anything, (text) => {
        expect(JSON.parse(safeJson({ text }))).toEqual({ text });
      }),
    );
  });
});
