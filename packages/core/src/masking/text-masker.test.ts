import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { testDigests } from '../../../../test/harness/digests.ts';
import { detect } from './detect.ts';
import { createCellMasker } from './masker.ts';
import { parseStrategies } from './strategy.ts';
import { keyBlock, values } from './testing/detected-values.ts';
import { ordinaryText } from './testing/ordinary-text.ts';
import { createTextMasker } from './text-masker.ts';

function masker(configured: Record<string, string> = {}) {
  return createCellMasker({
    strategies: parseStrategies(configured),
    digests: testDigests('key'),
    scope: 'run 1',
  });
}

function mask(text: string, configured: Record<string, string> = {}, hidden: (label: string) => boolean = () => true) {
  return createTextMasker({ masker: masker(configured), hidden }).mask(text);
}

describe('a masked text', () => {
  test.each([
    ['mail jane.doe@example.com now', 'mail j#***#@#***#.com now'],
    ['card 4111 1111 1111 1111, 12/27', 'card #***#1111, 12/27'],
    ['to DE89 3704 0044 0532 0130 00.', 'to DE#***#3000.'],
    ['call +49 170 1234567', 'call #***#67'],
    ['postgres://app:hunter2@db.example.com/shop', 'postgres://app:#*masked*#@db.example.com/shop'],
    [`key:\n${keyBlock('PRIVATE KEY')}\nover`, 'key:\n#*masked*#\nover'],
    ['\x1b[31mjane\x1b[1m@example.com\x1b[0m and on', '\x1b[31mj#***#@#***#.com\x1b[1m\x1b[0m and on'],
    ['', ''],
  ])('%j becomes %j', (text, masked) => {
    expect(mask(text).text).toBe(masked);
  });

  test('tells of the labels in it, of those that may be seen as well', () => {
    const text = 'jane@example.com 4111111111111111';
    expect(mask(text, {}, (label) => label === 'pci.card')).toEqual({
      text: 'jane@example.com #***#1111',
      labels: ['pci.card', 'pii.email'],
      masked: true,
    });
    expect(mask(text, {}, () => false)).toEqual({ text, labels: ['pci.card', 'pii.email'], masked: false });
    expect(mask('nothing')).toEqual({ text: 'nothing', labels: [], masked: false });
  });

  test('hides a value within one that may be seen', () => {
    const text = 'password=4111111111111111';
    expect(mask(text, {}, (label) => label === 'pci.card').text).toBe('password=#***#1111');
  });

  test('has a text where a strategy leaves no value', () => {
    expect(mask('x 123-45-6789 y', { 'pii.national_id': 'null' }).text).toBe('x #*masked*# y');
  });

  test('gives one value one token, however it is coloured', () => {
    const { text } = mask('jane@example.com \x1b[1mjane\x1b[0m@example.com', { 'pii.email': 'token' });
    const tokens = text.match(/masked_t[0-9a-f]{32}/g);
    expect(tokens).toHaveLength(2);
    expect(new Set(tokens).size).toBe(1);
  });

  test('of ordinary text is that text', () => {
    expect(mask(ordinaryText)).toEqual({ text: ordinaryText, labels: [], masked: false });
  });
});

describe('any text', () => {
  const around = fc.constantFrom(' ', '\n', ', ', '" ', ' (', '\t', '\x1b[0m ', '; ', ' é ', ' 😀 ', '\\n');
  // A card in groups that nobody prints counts only where no other number is next to it, and a mask is none.
  const sample = fc.constantFrom(...values.filter(({ text }) => text !== '41 11111111 111111'));
  const strategy = fc.constantFrom('redact', 'partial', 'null', 'hash', 'token');
  const document = fc.array(fc.tuple(sample, around), { maxLength: 12 });
  const configured = strategy.map((name) => Object.fromEntries(values.map(({ label }) => [label, name])));

  test('once masked holds none of the values that were found in it', () => {
    fc.assert(
      fc.property(document, configured, (parts, strategies) => {
        const text = parts.map(([{ text: each }, sign]) => each + sign).join('');
        const masked = mask(text, strategies).text;
        for (const { start, end } of detect(text)) expect(masked).not.toContain(text.slice(start, end));
        expect(detect(masked)).toEqual([]);
      }),
      { numRuns: 1500 },
    );
  });

  test('once masked stays as it is when it is masked again', () => {
    fc.assert(
      fc.property(document, configured, (parts, strategies) => {
        const text = parts.map(([{ text: each }, sign]) => each + sign).join('');
        const { text: masked } = mask(text, strategies);
        expect(mask(masked, strategies).text).toBe(masked);
      }),
      { numRuns: 1500 },
    );
  });

  test('without values is not changed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        fc.pre(!mask(text).masked);
        expect(mask(text).text).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });
});
