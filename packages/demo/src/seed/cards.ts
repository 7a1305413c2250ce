import type { Random } from './random.ts';

interface Brand {
  readonly name: string;
  readonly prefix: string;
  readonly length: number;
}

/** Prefixes that payment processors hand out for tests. */
const brands: readonly [Brand, ...Brand[]] = [
  { name: 'visa', prefix: '400000', length: 16 },
  { name: 'mastercard', prefix: '555555', length: 16 },
  { name: 'amex', prefix: '378282', length: 15 },
];

export interface Card {
  readonly brand: string;
  /** Digits only; passes the Luhn check (ISO/IEC 7812-1, annex B). */
  readonly number: string;
}

export function card(random: Random): Card {
  const brand = random.pick(brands);
  const body = brand.prefix + random.digits(brand.length - brand.prefix.length - 1);
  return { brand: brand.name, number: body + luhnDigit(body) };
}

/** The check digit to append. */
export function luhnDigit(body: string): string {
  let sum = 0;
  for (let position = 0; position < body.length; position++) {
    const digit = Number(body[body.length - 1 - position]);
    const doubled = position % 2 === 0 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return String((10 - (sum % 10)) % 10);
}
