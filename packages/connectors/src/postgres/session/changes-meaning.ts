import type { SessionEffect, StatementMeaning } from '../meaning/statement.ts';

/** Whether later statements can only be understood after this one is complete. */
export function changesMeaning(meaning: StatementMeaning): boolean {
  let changes = known.get(meaning);
  if (changes === undefined) {
    changes =
      meaning.effects.some((effect) => !harmless.has(effect.kind)) ||
      meaning.actions.some((action) => action.access === 'execute');
    known.set(meaning, changes);
  }
  return changes;
}

/** Asked of each statement several times on its way. */
const known = new WeakMap<StatementMeaning, boolean>();

const harmless: ReadonlySet<SessionEffect['kind']> = new Set(['begin', 'savepoint', 'release', 'listen', 'unlisten']);
