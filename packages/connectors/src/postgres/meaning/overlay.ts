import type {
  MeaningContext,
  Overlay,
  OverlayChange,
  PreparedSource,
  SessionEffect,
  StatementMeaning,
} from './statement.ts';

/**
 * Follows what an open transaction does to names. A session keeps one overlay: `applyEffects` after each statement that
 * the server completed; and when the server is idle again (ReadyForQuery `I`) and the overlay is not empty, the catalog
 * is refreshed and the overlay starts anew. What is not followed exactly becomes "unknown", which refuses.
 */
export const emptyOverlay: Overlay = { changes: [] };

/**
 * `same_string`: for later statements of one query string, where nobody can ask the server what a changed search_path
 * or role has come to mean. In `session` the caller reads those again.
 */
export function applyEffects(
  overlay: Overlay,
  effects: readonly SessionEffect[],
  within: 'same_string' | 'session' = 'session',
): Overlay {
  let changes: readonly OverlayChange[] = overlay.changes;
  for (const effect of effects) {
    switch (effect.kind) {
      case 'overlay':
        changes = [...changes, effect.change];
        break;
      case 'rollback':
      case 'rollback_to':
        // Which of the changes are undone is not kept track of.
        if (changes.length > 0) changes = [...changes, { kind: 'everything' }];
        break;
      case 'search_path':
      case 'role':
      case 'session_authorization':
        if (within === 'same_string') changes = [...changes, { kind: 'everything' }];
        break;
      case 'discard':
        if (effect.what === 'all' || effect.what === 'temp') changes = [...changes, { kind: 'everything' }];
        break;
      default:
        break;
    }
  }
  return changes === overlay.changes ? overlay : { changes };
}

/** The same context with what the statement prepared, declared or closed. */
export function withPrepared(ctx: MeaningContext, effects: readonly SessionEffect[]): MeaningContext {
  let next = ctx;
  for (const effect of effects) next = withOne(next, effect);
  return next;
}

function withOne(ctx: MeaningContext, effect: SessionEffect): MeaningContext {
  const prepared = (name: string): PreparedSource | undefined => ctx.prepared(name);
  const cursor = (name: string): StatementMeaning | undefined => ctx.cursor(name);
  switch (effect.kind) {
    case 'prepare':
      return { ...ctx, prepared: (name) => (name === effect.name ? { text: effect.source } : prepared(name)), cursor };
    case 'deallocate':
      return {
        ...ctx,
        prepared: (name) => (effect.name === 'all' || name === effect.name ? undefined : prepared(name)),
        cursor,
      };
    case 'declare_cursor':
      return { ...ctx, prepared, cursor: (name) => (name === effect.name ? effect.query : cursor(name)) };
    case 'close_cursor':
      return {
        ...ctx,
        prepared,
        cursor: (name) => (effect.name === 'all' || name === effect.name ? undefined : cursor(name)),
      };
    default:
      return { ...ctx, prepared, cursor };
  }
}
