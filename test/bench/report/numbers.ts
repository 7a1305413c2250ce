import type { Figure } from './figure.ts';
import { type Goal, type Reached, tellGoal } from './goal.ts';

/** Three figures that count, and no more decimals than say something. */
export function tellNumber(value: number): string {
  if (!Number.isFinite(value)) return '–';
  const size = Math.abs(value);
  if (size >= 1000) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

export function tellSpread([low, high]: readonly [number, number]): string {
  return `${tellNumber(low)} to ${tellNumber(high)}`;
}

/** `1.07 × (≤ 1.10 × PgBouncer)`; what could not be compared is said so. */
export function tellReached(goal: Goal, unit: string, reached: Reached | undefined): string {
  if (!reached) return `not compared, ${goal.to ?? goal.of} was not measured (${tellGoal(goal, unit)})`;
  return `${ratioOf(goal, unit, reached.value)} (${tellGoal(goal, unit)})`;
}

/** The value that is held to the goal. */
export function ratioOf(goal: Goal, unit: string, value: number): string {
  return goal.to === undefined ? `${tellNumber(value)} ${unit}` : `${value.toFixed(2)} ×`;
}

export function tellMedians(figures: readonly (Figure & { readonly median: number })[], unit: string): string {
  return figures
    .map(({ who, median }) => `${who} ${tellNumber(median)}`)
    .join(', ')
    .concat(` ${unit}`);
}
