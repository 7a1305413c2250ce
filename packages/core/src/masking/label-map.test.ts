import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLabelMap } from './label-map.ts';
import { fitsDepth, matchesLeaf, parseLabelPattern } from './label-pattern.ts';

const leaf = ['public', 'customers', 'email'];

function labels(pattern: string, target = 'shop', path: readonly string[] = leaf): readonly string[] {
  return createLabelMap({ label: [pattern] }).of(target, path);
}

describe('the labels of a leaf', () => {
  test.each([
    'shop.public.customers.email',
    '*.*.*.*',
    'shop.*.customers.email',
    'shop.public.cust*.email',
    '*.public.*.*mail',
    'sh*p.p*b*c.*om*rs.e*',
    '"shop"."public"."customers"."email"',
    '*.customers.email',
    '*.email',
  ])('%s names shop.public.customers.email', (pattern) => {
    expect(labels(pattern)).toEqual(['label']);
  });

  test.each([
    'shop.public.customers.Email',
    'shop.public.customers.emai',
    'shop.public.customers.email*x',
    'shops.public.customers.email',
    'shop."*".customers.email',
    '*.customers.*mail_*',
    '*.orders.email',
    'shop.public.customers.em*mail',
  ])('%s does not', (pattern) => {
    expect(labels(pattern)).toEqual([]);
  });

  test.each([
    ['crm.users.**.email', 'users.email', true],
    ['crm.users.**.email', 'users.[].contact.email', true],
    ['crm.users.**.email', 'users.[].contact.email.kind', false],
    ['crm.users.**.email', 'orders.email', false],
    ['crm.**.[].**.ssn', 'a.[].b.[].c.ssn', true],
    ['crm.**.[].**.ssn', 'a.b.ssn', false],
    ['crm.**.a.b', 'a.a.a.b', true],
    ['crm.**', 'anything.at.all', true],
    ['crm.**', 'x', true],
    ['*.**.email', 'email', true],
    ['**.email', 'a.b.c.d.email', true],
    ['**.email', 'email', true],
    ['crm.**.*_email', 'a.b.work_email', true],
    ['crm."**".b.email', 'a.b.email', false],
    ['crm."**".**.email', '**.email', true],
    ['*.email', 'a.b.c.d.e.email', true],
    ['crm.*.*.email', 'a.email', false],
    ['crm.email', 'email', true],
    ['crm.email', 'a.email', false],
    ['crm.users.email', 'users.email', true],
    ['crm.a.b.c.d.email', 'a.b.c.d.email', true],
    ['crm.a.b.c.d.email', 'a.b.c.email', false],
    ['crm.users.email', 'users.[].email', true],
    ['crm.users.email', '[].users.[].[].email', true],
    ['crm.users.[].email', 'users.[].email', true],
    ['crm.users.[].email', 'users.email', false],
    ['crm.users', 'users.[].email', false],
    ['*.b.c', 'a.b.c', true],
    ['*.a.b.c', 'x.a.b.c', false],
  ])('%s names crm.%s: %s', (pattern, path, named) => {
    expect(labels(pattern, 'crm', path.split('.'))).toEqual(named ? ['label'] : []);
  });

  test('names with dots, quotes and stars are written in quotes', () => {
    const path = ['my.schema', 'say "hi"', '*'];
    expect(labels('shop."my.schema"."say ""hi"""."*"', 'shop', path)).toEqual(['label']);
    expect(labels('shop."my.schema"."say ""hi"""."*"', 'shop', ['my.schema', 'say "hi"', 'x'])).toEqual([]);
  });

  test('come sorted, one of each', () => {
    const map = createLabelMap({
      'pii.email': ['*.email', 'shop.public.customers.*'],
      pci: ['*.card'],
      all: ['shop.*.*.*'],
      other: ['crm.*.*.*'],
    });
    expect(map.of('shop', leaf)).toEqual(['all', 'pii.email']);
    expect(map.all('shop')).toEqual(['all', 'pci', 'pii.email']);
    expect(map.all('crm')).toEqual(['other', 'pci', 'pii.email']);
    expect(map.of('shop', ['public', 'orders', 'id'])).toEqual(['all']);
  });

  test.each([
    ['', 'empty'],
    ['shop', 'would match nothing'],
    ['*', 'would match nothing'],
    ['**', 'every leaf of every target'],
    ['"*"', 'would match nothing'],
    ['shop..customers.email', 'empty'],
    ['shop.public.customers.', 'empty'],
    ['shop.public.customers."email', 'not closed'],
    ['shop.public.customers."email"x', 'whole segment'],
    ['shop.public.customers.e"mail"', 'whole segment'],
    ['shop.public. customers.email', 'white space'],
    ['shop.public.customers.""', 'empty'],
  ])('pattern %j is refused: %s', (pattern, why) => {
    const make = () => createLabelMap({ 'pii.email': [pattern] });
    expect(make).toThrow(why);
    expect(make).toThrow(`label "pii.email", pattern "${pattern}"`);
  });
});

describe('whether a pattern fits data so many names deep', () => {
  test.each([
    ['shop.public.customers.email', 3, true],
    ['shop.customers.email', 3, false],
    ['shop.a.b.c.d', 3, false],
    ['*.email', 3, true],
    ['*.customers.email', 3, true],
    ['*.public.customers.email', 3, true],
    ['*.a.b.c.d', 3, false],
    ['*.customers.email', 1, false],
    ['shop.**', 3, true],
    ['shop.a.**.b.c.d', 3, false],
    ['**.a.b', 3, true],
    ['**.a.b.c.d', 3, false],
  ])('%s, %d: %s', (pattern, depth, fits) => {
    expect(fitsDepth(parseLabelPattern('x', pattern), depth)).toBe(fits);
  });

  test('is what matching says', () => {
    const pattern = fc.array(fc.constantFrom('a', '*', '**'), { minLength: 2, maxLength: 6 });
    fc.assert(
      fc.property(pattern, fc.integer({ min: 1, max: 7 }), (segments, depth) => {
        fc.pre(segments.some((segment) => segment !== '**'));
        const path = Array.from({ length: depth }, () => 'a');
        const parsed = parseLabelPattern('x', segments.join('.'));
        expect(fitsDepth(parsed, depth)).toBe(matchesLeaf(parsed, 'a', path));
      }),
    );
  });
});

describe('any pattern', () => {
  const name = fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom('a', 'b', '.', '"', '*', 'Ä', ' ') });
  const quote = (text: string) => `"${text.replaceAll('"', '""')}"`;

  test('of quoted names matches exactly these names', () => {
    const path = fc.tuple(name, name, name, name);
    fc.assert(
      fc.property(path, path, (written, asked) => {
        const [target, ...rest] = asked;
        const same = written.every((part, index) => part === asked[index]);
        expect(labels(written.map(quote).join('.'), target, rest)).toEqual(same ? ['label'] : []);
        expect(labels(written.map(quote).join('.'), written[0], written.slice(1))).toEqual(['label']);
      }),
    );
  });

  test('with ** matches what the equivalent regular expression does', () => {
    const segment = fc.constantFrom('a', 'b', '*', '**');
    const names = fc.array(fc.constantFrom('a', 'b'), { minLength: 0, maxLength: 7 });
    fc.assert(
      fc.property(fc.array(segment, { minLength: 0, maxLength: 6 }), names, (written, path) => {
        const pattern = ['s', ...written, '**'];
        const regex = new RegExp(
          `^${pattern.map((each) => (each === '**' ? '(/[ab])*' : each === '*' ? '/[ab]' : `/${each}`)).join('')}$`,
        );
        const matches = regex.test(['', 's', ...path].join('/'));
        expect(labels(pattern.join('.'), 's', path)).toEqual(matches ? ['label'] : []);
      }),
      { numRuns: 2000 },
    );
  });

  test('with stars matches what the equivalent regular expression does', () => {
    const piece = fc.string({ minLength: 1, maxLength: 6, unit: fc.constantFrom('a', 'b', '*') });
    const word = fc.string({ minLength: 0, maxLength: 8, unit: fc.constantFrom('a', 'b') });
    fc.assert(
      fc.property(piece, word, (pattern, column) => {
        const regex = new RegExp(`^${pattern.replaceAll('*', '.*')}$`);
        expect(labels(`s.p.t.${pattern}`, 's', ['p', 't', column])).toEqual(regex.test(column) ? ['label'] : []);
      }),
      { numRuns: 1000 },
    );
  });
});
