import { describe, expect, test } from 'vitest';
import { applyEffects, emptyOverlay } from './overlay.ts';
import type { SessionEffect } from './statement.ts';

const gone: SessionEffect = { kind: 'overlay', change: { kind: 'gone', schema: 'public', name: 'a' } };
const everything = { kind: 'everything' };

describe('what an open transaction did to names', () => {
  test('adds up in order', () => {
    const overlay = applyEffects(applyEffects(emptyOverlay, [gone]), [
      { kind: 'overlay', change: { kind: 'unknown', schema: 'public', name: 'b' } },
    ]);
    expect(overlay.changes.map(({ kind }) => kind)).toEqual(['gone', 'unknown']);
  });

  test('is uncertain once some of it was rolled back', () => {
    const overlay = applyEffects(applyEffects(emptyOverlay, [gone]), [{ kind: 'rollback_to', name: 's' }]);
    expect(overlay.changes.at(-1)).toEqual(everything);
  });

  test('stays empty when a rollback has nothing to undo', () => {
    expect(applyEffects(emptyOverlay, [{ kind: 'rollback', chain: false }])).toBe(emptyOverlay);
  });

  test('leaves the search path to the session, which can ask, but not to the rest of a query string', () => {
    expect(applyEffects(emptyOverlay, [{ kind: 'search_path' }])).toBe(emptyOverlay);
    expect(applyEffects(emptyOverlay, [{ kind: 'search_path' }], 'same_string').changes).toEqual([everything]);
    expect(applyEffects(emptyOverlay, [{ kind: 'role', name: 'bob' }], 'same_string').changes).toEqual([everything]);
  });
});
