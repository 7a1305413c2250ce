import type { Result } from '../measure.ts';
import { tellMedians, tellNumber, tellReached, tellSpread } from './numbers.ts';

/** What a person at a terminal reads of one row, on two lines or more. */
export function tellResult(result: Result): string {
  const { id, title, skipped, figures, unit, goal, reached, notes, faults } = result;
  if (skipped !== undefined) return `– ${title} [${id}]\n    skipped: ${skipped}`;
  const verdict = faults.length > 0 ? 'x' : reached ? (reached.reached ? '✓' : '·') : '–';
  const within = reached ? `, ${goal.to === undefined ? tellSpread(reached.spread) : ratioSpread(reached.spread)}` : '';
  return [
    `${verdict} ${title} [${id}]`,
    `    ${tellReached(goal, unit, reached)}${within}`,
    `    ${tellMedians(figures, unit)}`,
    ...notes.map((note) => `    ${note}`),
    ...faults.slice(0, 10).map((fault) => `    FAULT ${fault}`),
    ...(faults.length > 10 ? [`    and ${faults.length - 10} more`] : []),
  ].join('\n');
}

/** The last lines: how many goals were reached, and which were not, the farthest first. */
export function tellSummary(results: readonly Result[]): string {
  const held = results.filter(({ reached }) => reached !== undefined);
  const missed = held
    .filter(({ reached }) => !reached?.reached)
    .toSorted((a, b) => (a.reached?.score ?? 0) - (b.reached?.score ?? 0));
  return [
    `${held.length - missed.length} of ${held.length} goals are reached.`,
    ...missed.map(({ id, reached }) => `  not ${id}: ${tellNumber((reached?.score ?? 0) * 100)} % of the way`),
  ].join('\n');
}

function ratioSpread([low, high]: readonly [number, number]): string {
  return `rounds ${low.toFixed(2)} to ${high.toFixed(2)}`;
}
