import { describe, expect, it } from 'vitest';
import type { CellMasker } from '../contract/labels.ts';
import { createLookingMasker } from './looking-masker.ts';

const plain: CellMasker = { mask: () => '#***#', hide: () => '#***#' };
const note = 'Call Jane at jane.doe@example.com about card 4111 1111 1111 1111';

function looking(...hidden: string[]): CellMasker {
  return createLookingMasker(plain, (label) => hidden.includes(label));
}

describe('looking into values that nobody labelled', () => {
  it('masks what may not be shown and leaves the rest', () => {
    const seen = looking('pii.email').look?.({ kind: 'text' }, note);
    expect(seen).not.toContain('jane.doe@example.com');
    expect(seen).toContain('4111 1111 1111 1111');
    expect(seen).toContain('Call Jane at ');
  });

  it('gives back the very same value where there is nothing to hide', () => {
    expect(looking('pci.card').look?.({ kind: 'text' }, 'order 42 shipped')).toBe('order 42 shipped');
    expect(looking().look?.({ kind: 'text' }, note)).toBe(note);
  });

  it('keeps JSON valid, also where the value is a number', () => {
    const seen = looking('pci.card', 'pii.email').look?.(
      { kind: 'json' },
      '{"a":4111111111111111,"b":["jane@example.com",1]}',
    );
    const parsed = JSON.parse(seen ?? '') as { a: unknown; b: unknown[] };
    expect(seen).not.toContain('4111111111111111');
    expect(seen).not.toContain('jane@example.com');
    expect(parsed.b[1]).toBe(1);
  });

  it('stays within the length a column has', () => {
    const seen = looking('pii.email').look?.({ kind: 'text', maxLength: 6 }, 'a@example.com');
    expect([...(seen ?? '')].length).toBeLessThanOrEqual(6);
  });

  it('gives a null for a type that has no mask', () => {
    expect(looking('pii.email').look?.({ kind: 'other' }, '{jane@example.com}')).toBeNull();
  });
});
