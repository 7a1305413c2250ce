import { describe, expect, it } from 'vitest';
import { HiddenValues } from './hidden-values.ts';

function hiding(...values: readonly string[]): HiddenValues {
  const hidden = new HiddenValues();
  for (const value of values) hidden.learn({ a: value }, { a: '***' });
  return hidden;
}

describe('values that were hidden', () => {
  it('are taken out of text wherever they stand, the longest first', () => {
    const hidden = hiding('Jane', 'Jane Doe', 'x1');
    expect(hidden.outOfText('Jane Doe, Janet, xJane, x1')).toBe('***, ***t, x***, x1');
  });

  it('are taken out of members where they stand alone, or are long', () => {
    const hidden = hiding('1985', '4111111111111111');
    expect(hidden.outOfDocument({ '1985': 'born 1985', id: 'c19850', n: 1985, card: 'n4111111111111111x' })).toEqual({
      '***': 'born ***',
      id: 'c19850',
      n: 1985,
      card: 'n***x',
    });
  });

  it('say so when there are too many', () => {
    const hidden = hiding(...Array.from({ length: 2_001 }, (_, n) => `value ${n}`));
    expect(hidden.full).toBe(true);
    expect(hidden.outOfText('value 1999.')).toBe('***.');
  });
});
