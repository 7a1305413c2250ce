import fc from 'fast-check';
import { loadModule, scanSync } from 'libpg-query';
import { beforeAll, describe, expect, it } from 'vitest';
import { skeletonOf } from './literals.ts';

beforeAll(() => loadModule());

const values = (text: string): readonly (string | number)[] | undefined =>
  skeletonOf(text)?.literals.map(({ value }) => value);

describe('the skeleton of a text', () => {
  it.each<[string, readonly (string | number)[]]>([
    ['select 1', [1]],
    ["select 'a''b', '', 'x y'", ["a'b", '', 'x y']],
    ["where a = -5 and b1 <> 007 or c in (1,2) and t.d = 'select 3'", [-0 + 5, 7, 1, 2, 'select 3']],
    ['select "a1""\'2", 3', [3]],
    ["select date '2020-01-01'::date", ['2020-01-01']],
    ["select e, b, 'c'", ['c']],
    ["select 'a' || 'b'", ['a', 'b']],
    ['select a[1:2], x1y2z3, _4', [1, 2]],
    ['select 1;\n', [1]],
  ])('tells the literals of %s', (text, literals) => {
    expect(values(text)).toEqual(literals);
  });

  it.each([
    'select a',
    "select e'a'",
    "select E'a'",
    "select b'0'",
    "select x'0'",
    "select n'a'",
    "select u&'a'",
    'select U&"a" = 1',
    "select & 'a' &'b'",
    "select 'a'\n'b'",
    "select 'a'  'b'",
    "select 'a\\'",
    "select 'a",
    'select "a, 1',
    "select 'é', 1",
    'select é, 1',
    'select 1 -- 2',
    'select 1 /* 2 */',
    'select 1 --',
    'select $1, 2',
    'select $$a$$, 2',
    'select 1.5',
    'select .5',
    'select 5.',
    'select t.5',
    'select 1..2',
    'select 1e5',
    'select 0x1f',
    'select 1_000',
    'select 1a',
    "select 1'a'",
    "select 'a'1",
    "select 'a'b",
    "select date'2020-01-01'",
    'select 1"a"',
    'select 1000000000',
    'select 1\0',
    'select 1\u0001',
    "select '\u0002'",
    'select 1\u00a0',
    'select 1\f',
    `select '${'x'.repeat(17_000)}'`,
  ])('is not told where there could be two opinions, or no literals: %j', (text) => {
    expect(skeletonOf(text)).toBeUndefined();
  });

  it('is the same for texts that differ in the values of their literals only', () => {
    const shape = (text: string) => skeletonOf(text)?.shape;
    expect(shape("select 1, 'a'")).toBe(shape("select 22, 'it''s'"));
    for (const other of [
      "select 'a', 1",
      "select 1,'a'",
      'select 1, 1',
      "select -1, 'a'",
      "SELECT 1, 'a'",
      "select 1, 'a';",
    ]) {
      expect(shape(other)).not.toBe(shape("select 1, 'a'"));
    }
  });

  const pieces = [
    ...[
      "'",
      "''",
      '"',
      '\\',
      '$',
      '$a$',
      '--',
      '/*',
      '*/',
      '-',
      '/',
      '*',
      '&',
      "U&'",
      "e'",
      'E',
      'b',
      'x',
      'n',
      ' ',
      '\n',
    ],
    ...[
      '\t',
      ';',
      '.',
      '1',
      '22',
      '999999999',
      '1234567890',
      '0x1',
      '1_0',
      '1e1',
      '.5',
      'a',
      'select',
      'from',
      "'a'",
      '(',
      ')',
    ],
    ...[
      "'a'",
      "' '",
      "'1'",
      '"b"',
      ',',
      '::',
      '=',
      '@',
      '?',
      ':',
      '[',
      ']',
      '\0',
      '\u0001',
      'é',
      '\r',
      '\f',
      '\v',
      '_',
      '%',
    ],
  ];
  it('agrees with the scanner of the server about what is a literal', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 24 }), (parts) => {
        const text = parts.join('');
        const skeleton = skeletonOf(text);
        if (skeleton === undefined) return;
        let tokens: ReturnType<typeof scanSync>['tokens'];
        try {
          tokens = scanSync(text).tokens;
        } catch {
          // What the scanner does not take, the grammar does not, and nothing is learnt of it.
          return;
        }
        const named = tokens.filter(({ tokenName }) => /CONST$/.test(tokenName));
        expect(named.map(({ start, tokenName }) => [start, tokenName])).toEqual(
          skeleton.literals.map(({ at, value }) => [at, typeof value === 'string' ? 'SCONST' : 'ICONST']),
        );
      }),
      { numRuns: 5_000 },
    );
  });
});
