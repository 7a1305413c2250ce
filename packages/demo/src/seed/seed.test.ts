import { describe, expect, it } from 'vitest';
import { luhnDigit } from './cards.ts';
import type { Row } from './row.ts';
import { generate } from './seed.ts';

const now = Date.UTC(2026, 0, 16, 12);
const shop = generate(now);

function column(rows: readonly Row[], name: string): readonly string[] {
  return rows.map((row) => String(row[name]));
}

describe('the example shop', () => {
  it('is the same on every machine', () => {
    expect(generate(now)).toEqual(shop);
  });

  it('lies in the past, whenever it is made', () => {
    for (const rows of Object.values(shop)) {
      for (const row of rows) {
        for (const name of ['created_at', 'placed_at', 'updated_at', 'at', 'opened_at', 'first_seen']) {
          const at = row[name];
          if (typeof at === 'string') expect(Date.parse(at)).toBeLessThanOrEqual(now);
        }
      }
    }
  });

  it('holds nobody: addresses, numbers and ids that are never given to people', () => {
    const customers = shop['public.customers'];
    for (const email of column(customers, 'email'))
      expect(email).toMatch(/^[a-z0-9.+_-]+@([a-z]+\.)?example\.(com|net|org)$/);
    for (const id of column(customers, 'national_id')) expect(id).toMatch(/^9\d\d-[1-4]\d-\d{4}$/);
    for (const phone of column(customers, 'phone')) expect(phone).toMatch(/^\+\d[\d ]{8,18}$/);
    expect(new Set(column(customers, 'email')).size).toBe(customers.length);
  });

  it('pays with test cards that pass the check every form makes', () => {
    const cards = column(shop['public.payments'], 'card_number');
    for (const card of cards) expect(luhnDigit(card.slice(0, -1))).toBe(card.slice(-1));
    expect(new Set(cards.map((card) => card.slice(0, 6)))).toEqual(new Set(['400000', '555555', '378282']));
    expect(luhnDigit('7992739871')).toBe('3');
  });
});
