import fc from 'fast-check';
import { expect, test } from 'vitest';
import { plainEmail, plainPhone } from './plain-shapes.ts';

const email = /^([^\s@"]{1,64})@[^\s@"[\]]{1,255}\.([A-Za-z]{2,12})$/u;
const phone = /^\+?[\d\s().\-/]{7,40}$/;

const address = fc.stringMatching(/^[a-c.@"[\] é😀A-Z0-9\t_-]{0,6}@?[a-c.@[\]"é-]{0,8}\.?[a-zA-Z1é]{0,14}$/u);
const long = fc
  .tuple(fc.nat(70), fc.nat(260), fc.nat(14))
  .map(([local, domain, top]) => `${'a'.repeat(local)}@${'b'.repeat(domain)}.${'c'.repeat(top)}`);
const digit = fc.constantFrom(...'0123456789');
const between = fc.constantFrom(...' ().-/+é	');
const number = fc
  .tuple(
    fc.constantFrom('', '+', '++', ' '),
    fc.array(fc.oneof({ weight: 20, arbitrary: digit }, { weight: 1, arbitrary: between }), {
      maxLength: 44,
      size: 'max',
    }),
  )
  .map(([sign, rest]) => sign + rest.join(''));

test('an address that is taken for a plain one is one, with the same parts', () => {
  let plain = 0;
  fc.assert(
    fc.property(fc.oneof(address, long), (value) => {
      const found = plainEmail(value);
      const [, local, topLevel] = email.exec(value) ?? [];
      if (found) {
        plain++;
        expect([value.slice(0, found.local), value.slice(found.topLevel)]).toEqual([local, topLevel]);
      } else if (/^[\x21-\x7e]*$/.test(value)) {
        expect(local).toBeUndefined();
      }
    }),
    { numRuns: 5_000 },
  );
  expect(plain).toBeGreaterThan(100);
});

test('a number that is taken for a plain one is one, with the same last digits', () => {
  let plain = 0;
  fc.assert(
    fc.property(number, (value) => {
      const digits = value.replace(/\D/g, '');
      const shown = phone.test(value) && digits.length >= 7 && digits.length <= 18 ? digits.slice(-2) : undefined;
      const found = plainPhone(value);
      if (found !== undefined) {
        plain++;
        expect(found).toBe(shown);
      } else if (/^[\x20-\x7e]*$/.test(value)) {
        expect(shown).toBeUndefined();
      }
    }),
    { numRuns: 5_000 },
  );
  expect(plain).toBeGreaterThan(100);
});
