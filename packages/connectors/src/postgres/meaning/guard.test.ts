import fc from 'fast-check';
import { parseSync } from 'libpg-query';
import { beforeAll, describe, expect, test } from 'vitest';
import { MeaningError } from './error.ts';
import { fingerprint, loadGrammar, parse } from './grammar.ts';
import { guard, maxNesting, maxStatementBytes, nesting } from './guard.ts';

beforeAll(loadGrammar);

function refusal(text: string): MeaningError {
  try {
    guard(text);
  } catch (error) {
    if (error instanceof MeaningError) return error;
    throw error;
  }
  throw new Error('was let through');
}

describe('the guard before the parser', () => {
  test.each([
    ['a NUL', "SELECT 'a\0b'", 'encoding', '22021'],
    ['half a surrogate pair', "SELECT '\ud800'", 'encoding', '22021'],
    ['more bytes than the cap', `SELECT '${'x'.repeat(maxStatementBytes)}'`, 'too_large', '54000'],
    [
      'more bytes than the cap in fewer characters',
      `SELECT '${'é'.repeat(maxStatementBytes / 2)}'`,
      'too_large',
      '54000',
    ],
    ['100,000 parentheses', `SELECT ${'('.repeat(100_000)}1${')'.repeat(100_000)}`, 'too_complex', '54001'],
    ['20,000 additions', `SELECT ${'1+'.repeat(20_000)}1`, 'too_complex', '54001'],
    ['2,000 unions', `SELECT 1${' UNION SELECT 1'.repeat(2_000)}`, 'too_complex', '54001'],
    ['2,000 joins', `SELECT 1 FROM a${' JOIN a ON true'.repeat(2_000)}`, 'too_complex', '54001'],
    ['10,000 nots', `SELECT ${'NOT '.repeat(10_000)}true`, 'too_complex', '54001'],
    ['casts one upon the other', `SELECT 1${'::int'.repeat(5_000)}`, 'too_complex', '54001'],
    ['CASE in CASE', `SELECT ${'CASE WHEN true THEN '.repeat(2_000)}1${' END'.repeat(2_000)}`, 'too_complex', '54001'],
    ['subscripts of subscripts', `SELECT ${'a['.repeat(2_000)}1${']'.repeat(2_000)}`, 'too_complex', '54001'],
  ])('refuses %s', (_name, text, code, sqlstate) => {
    expect(refusal(text)).toMatchObject({ code, sqlstate, stale: false });
  });

  test.each([
    ['10,000 alternatives', `SELECT 1 WHERE ${Array(10_000).fill('a = 1').join(' OR ')}`],
    ['10,000 rows', `INSERT INTO t VALUES ${Array(10_000).fill("(1, 'a', -1)").join(', ')}`],
    ['a long IN list', `SELECT 1 WHERE a IN (${Array(20_000).fill('-1').join(', ')})`],
    ['much text in one literal', `SELECT '${'(('.repeat(50_000)}'`],
    ['much text in a comment', `SELECT 1 /* ${'(('.repeat(50_000)} /* ( */ */`],
    ['much text in dollar quotes', `SELECT $a$${'(('.repeat(50_000)}$a$`],
    ['many branches of a CASE', `SELECT CASE ${'WHEN a = 1 THEN 2 '.repeat(5_000)} END`],
  ])('lets %s through, and the parser takes it', (_name, text) => {
    expect(parse(text)).toHaveLength(1);
  });

  test('bounds the depth of every tree, whatever the text', () => {
    const word = fc.constantFrom(
      ...'( ) [ ] , ; . + - * = < :: ~ || AND OR NOT IS NULL IN CASE WHEN THEN ELSE END SELECT FROM WHERE JOIN ON'.split(
        ' ',
      ),
      ...'UNION EXCEPT BETWEEN LIKE COLLATE "C" a b 1 $1 true LATERAL ROW ARRAY ANY ALL EXISTS AT TIME ZONE AS'.split(
        ' ',
      ),
      "'x'",
      "E'\\''",
      '$$x$$',
      '-- c\n',
      '/* c */',
      'OPERATOR(pg_catalog.+)',
      'VALUES (1)',
      'VARIADIC',
    );
    const phrase = fc.constantFrom(
      ...[
        'SELECT 1',
        '(SELECT 1)',
        '(a + 1)',
        '- (1)',
        'NOT a',
        'a::int',
        '1 + 1',
        'a IS NULL',
        'CASE WHEN a THEN 1 END',
        'f(a)',
        'x JOIN y ON a = b',
        'ARRAY[1]',
        'a BETWEEN 1 AND 2',
      ],
    );
    const repeated = fc
      .tuple(fc.oneof(word, phrase), fc.integer({ min: 1, max: 30 }))
      .map(([one, n]) => `${one} `.repeat(n));
    fc.assert(
      fc.property(fc.array(repeated, { maxLength: 25 }), (parts) => {
        for (const text of [`SELECT ${parts.join(' ')}`, `SELECT 1 FROM ${parts.join(' ')}`]) {
          let depth: number;
          try {
            depth = depthOf(parseSync(text));
          } catch (error) {
            expect(error).not.toBeInstanceOf(RangeError);
            continue;
          }
          // Five levels of JSON to a node at most, and a constant for the statement around them.
          expect(depth).toBeLessThanOrEqual(nesting(text) * 5 + 40);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('keeps what it lets through far from where the parser fails', () => {
    const usual = "WITH a AS (SELECT b, c + 1 FROM d WHERE e = 'f') SELECT * FROM a JOIN g USING (b) ORDER BY 1";
    const before = JSON.stringify(parseSync(usual));
    const print = fingerprint(usual);
    for (const build of [
      (n: number) => `SELECT ${'('.repeat(n)}1${')'.repeat(n)}`,
      (n: number) => `SELECT ${'(SELECT '.repeat(n)}1${')'.repeat(n)}`,
      (n: number) => `SELECT ${'f('.repeat(n)}1${')'.repeat(n)}`,
      (n: number) => `SELECT 1${' UNION ALL SELECT 1'.repeat(n)}`,
      (n: number) => `SELECT ${'- '.repeat(n)}1`,
      (n: number) => `SELECT ${'1+'.repeat(n)}1`,
    ]) {
      let most = 1;
      while (nesting(build(most + 25)) <= maxNesting) most += 25;
      expect(parse(build(most))).toHaveLength(1);
      expect(fingerprint(build(most))).toMatch(/^[0-9a-f]{16}$/);
      expect(JSON.stringify(parseSync(usual))).toBe(before);
      expect(fingerprint(usual)).toBe(print);
    }
  });
});

function depthOf(root: unknown): number {
  let deepest = 0;
  const waiting: [unknown, number][] = [[root, 0]];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [value, depth] = next;
    if (depth > deepest) deepest = depth;
    if (typeof value === 'object' && value !== null)
      for (const child of Object.values(value)) waiting.push([child, depth + 1]);
  }
  return deepest;
}
