import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mod97 } from './checksum.ts';
import { detect } from './detect.ts';
import { cloudKeyPrefixes } from './detect-cloud-key.ts';
import { ibanCountries } from './detect-iban.ts';
import { numberNames } from './detect-national-id.ts';
import { secretNames } from './detect-password.ts';
import { isQuiet, quietEnd } from './detect-quiet.ts';
import { values } from './testing/detected-values.ts';
import { ordinaryText } from './testing/ordinary-text.ts';

describe('a line that is shown without asking the detectors', () => {
  test.each(values.map(({ text }) => text))('is not the one where %j begins', (text) => {
    const [{ start } = { start: 0 }] = detect(text);
    const line = text.slice(text.lastIndexOf('\n', start - 1) + 1).split('\n')[0] ?? '';
    expect(isQuiet(line)).toBe(false);
    expect(isQuiet(`some text ${line}`)).toBe(false);
    expect(isQuiet(`\u001b[31m${line}\u001b[0m`)).toBe(false);
  });

  test.each([...secretNames, ...numberNames, 'authorization'])('does not name a secret: %s', (name) => {
    for (const written of [name, name.toUpperCase(), name.charAt(0).toUpperCase() + name.slice(1)]) {
      expect(isQuiet(`${written}=x`)).toBe(false);
      expect(isQuiet(`"${written.slice(0, 1)}\u001b[1m${written.slice(1)}": "x"`)).toBe(false);
    }
  });

  test.each(cloudKeyPrefixes)('does not begin a key: %s', (prefix) => {
    expect(isQuiet(`x ${prefix}`)).toBe(false);
  });

  test.each([
    'a\\nb',
    'a%40b',
    'a&#64;b',
    'a\u200bb',
    'a\u00adb',
    '\uff11',
    '\u0661',
    'a\u001b[5;5Hb',
    'a\u0008b',
    'a\u009bb',
  ])('reads as it stands, unlike %j', (line) => {
    expect(isQuiet(line)).toBe(false);
  });

  test.each([
    'made 100% & more, at 50 %; see /a/b?c=d&e=f',
    '2024-01-15T10:20:30.123Z INFO [http-exec-3] order 900007 took 13 ms, trace=4bf92f3577b34da6',
    '\u001b[32m+ added\u001b[0m\u001b[K 東京 Zoë 😀 ─┼─',
    'className session understood across the pipeline',
    '',
  ])('is one like %j', (line) => {
    expect(isQuiet(line)).toBe(true);
  });

  test('is most of what people and programs write', () => {
    const lines = ordinaryText.split('\n');
    expect(lines.filter(isQuiet).length / lines.length).toBeGreaterThan(0.7);
  });
});

const digits = (least: number, most: number) => fc.stringMatching(new RegExp(`^[0-9]{${least},${most}}$`));

function luhnDigit(body: string): string {
  let sum = 0;
  for (const [index, sign] of [...body].reverse().entries()) {
    const value = Number(sign) * (index % 2 === 0 ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  }
  return String((10 - (sum % 10)) % 10);
}

const between = fc.constantFrom('', '', ' ', '-', '.', '/', '  ', '\u001b[0m');
const grouped = (text: string, sizes: readonly number[], separators: readonly string[]) => {
  let at = 0;
  const groups = sizes.map((size) => {
    at += size;
    return text.slice(at - size, at);
  });
  return [...groups, text.slice(at)]
    .filter((group) => group !== '')
    .map((group, index) => (index === 0 ? group : `${separators[index % separators.length]}${group}`))
    .join('');
};
const cardNumber = digits(11, 17).map((rest) => `4${rest}${luhnDigit(`4${rest}`)}`);
const ibanNumber = fc.tuple(fc.constantFrom(...ibanCountries), digits(11, 27)).map(([country, body]) => {
  const check = Array.from({ length: 97 }, (_, i) => String(i + 2).padStart(2, '0')).find((two) =>
    mod97(`${country}${two}${body}`),
  );
  return `${country}${check ?? '00'}${body}`;
});
const inGroups = fc
  .tuple(
    fc.oneof(cardNumber, ibanNumber, digits(9, 11), digits(15, 15)),
    fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 8 }),
    fc.array(between, { minLength: 1, maxLength: 3 }),
  )
  .map(([text, sizes, separators]) => grouped(text, sizes, separators));
const sample = fc.constantFrom(...values.map(({ text }) => text));
/** A value with something changed in it. */
const changed = fc
  .tuple(sample, fc.nat(), fc.nat(2), fc.constantFrom('', ' ', '-', '\u001b[1m', 'a', '7', 'Z', '.', '"', '='))
  .map(([text, where, gone, put]) => {
    const at = where % (text.length + 1);
    return text.slice(0, at) + put + text.slice(at + gone);
  });
const around = fc.constantFrom('', ' ', 'x ', 'id: ', '"', '(', '12 ', 'DE ', 'sie', '\u001b[33m', 'é', '+', '%B');

test('whatever a detector finds is on a line that was not quiet', () => {
  const text = fc.oneof(
    inGroups,
    changed,
    digits(8, 8).map((number) => `${number}${'TRWAGMYFPDXBNJZSQVHLCKE'[Number(number) % 23]}`),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(around, text, around), { minLength: 1, maxLength: 3 }), (pieces) => {
      const written = `${pieces.flat().join('')}\n`;
      const quiet = quietEnd(written, 0);
      const found = detect(written);
      for (const { start } of found) expect(start).toBeGreaterThanOrEqual(quiet);
      // The end of a text shows it as well as a line break does.
      const text = written.trimEnd();
      if (detect(text).length > 0) expect(isQuiet(text)).toBe(false);
    }),
    { numRuns: 20_000 },
  );
});
