// One line of words for what a statement means, so that a corpus can be read and reviewed as a table.

import { MeaningError } from '@sluice/connectors/postgres/meaning/error.ts';
import { interpret } from '@sluice/connectors/postgres/meaning/interpret.ts';
import type { MeaningContext, StatementMeaning } from '@sluice/connectors/postgres/meaning/statement.ts';

/** `kind: verb resource resource, verb …; reads …; expressions …; exposed; everything (no real WHERE); then …`. */
export function tell(meaning: StatementMeaning): string {
  const actions = meaning.actions.map(({ verb, resources }) =>
    [verb.replace('sql:', ''), ...resources.map(({ id }) => id.replace(/^shop\//, ''))].join(' '),
  );
  const everything = meaning.actions.some(({ context }) => context['has_where'] === false);
  const parts = [`${meaning.kind}: ${actions.join(', ')}`];
  if (meaning.labels.length > 0) parts.push(`reads ${meaning.labels.join(' ')}`);
  if (meaning.expressionLabels.length > 0) parts.push(`expressions ${meaning.expressionLabels.join(' ')}`);
  if (meaning.exposures.length > 0) parts.push('exposed');
  if (everything) parts.push('everything');
  const effects = [
    ...new Set(meaning.effects.map((effect) => (effect.kind === 'overlay' ? effect.change.kind : effect.kind))),
  ];
  if (effects.length > 0) parts.push(`then ${effects.join(' ')}`);
  return parts.join('; ');
}

/** One line per statement of the text, or the refusal. */
export function tellAll(text: string, context: MeaningContext): readonly string[] {
  try {
    return interpret(text, context).map(tell);
  } catch (error) {
    if (error instanceof MeaningError) return [`refused: ${error.code}`];
    throw error;
  }
}
