import type { SessionEffect, StatementMeaning } from '../meaning/statement.ts';

/** Whether later statements can only be understood after this one is complete. */
export function changesMeaning(meaning: StatementMeaning): boolean {
  return (
    meaning.effects.some((effect) => !harmless.has(effect.kind)) ||
    meaning.actions.some((action) => action.access === 'execute')
  );
}

const harmless: ReadonlySet<SessionEffect['kind']> = new Set(['begin', 'savepoint', 'release', 'listen', 'unlisten']);
