import type { SessionEffect, StatementMeaning } from '../meaning/statement.ts';

/** Whether later statements can only be understood after this one is complete. */
export function changesMeaning(meaning: StatementMeaning): boolean {
  const key = meaning.model ?? meaning;
  let changes = known.get(key);
  if (changes === undefined) {
    changes =
      meaning.effects.some((effect) => !harmless.has(effect.kind)) ||
      meaning.actions.some((action) => action.access === 'execute');
    known.set(key, changes);
  }
  return changes;
}

/** Asked of each statement several times on its way. */
const known = new WeakMap<StatementMeaning, boolean>();

const harmless: ReadonlySet<SessionEffect['kind']> = new Set(['begin', 'savepoint', 'release', 'listen', 'unlisten']);
