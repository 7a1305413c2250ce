import { type Figure, median, ratios, spread } from './figure.ts';

/** What a row should come to: `of` in relation to `to`, or by itself, at most or at least `bound`. */
export interface Goal {
  readonly of: string;
  /** Absent: the bound is in the row's own unit. */
  readonly to?: string;
  readonly at: 'most' | 'least';
  readonly bound: number;
}

export interface Reached {
  /** The median over the rounds. */
  readonly value: number;
  readonly spread: readonly [number, number];
  readonly reached: boolean;
  /** 1 is exactly the goal, more is better than it. */
  readonly score: number;
}

/** Holds the figures to the goal; undefined when somebody in it was not measured. */
export function judge(goal: Goal, figures: readonly Figure[]): Reached | undefined {
  const of = figures.find(({ who }) => who === goal.of);
  const to = figures.find(({ who }) => who === goal.to);
  if (!of || (goal.to !== undefined && !to)) return undefined;
  const values = to ? ratios(of, to) : of.samples;
  if (values.length === 0) return undefined;
  const value = median(values);
  const score = goal.at === 'most' ? goal.bound / value : value / goal.bound;
  return { value, spread: spread(values), reached: score >= 1, score };
}

/** `≤ 1.10 × PgBouncer`, `≤ 40 KiB`. */
export function tellGoal(goal: Goal, unit: string): string {
  const sign = goal.at === 'most' ? '≤' : '≥';
  return goal.to === undefined ? `${sign} ${goal.bound} ${unit}` : `${sign} ${goal.bound.toFixed(2)} × ${goal.to}`;
}
