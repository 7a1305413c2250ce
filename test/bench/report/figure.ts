/**
 * What was measured and what is made of it: medians, spreads, ratios, goals, and the forms they are shown in (table,
 * JSON, chart, page). Nothing here measures anything.
 */

/** The samples of one peer in a row: one per round, in their order, so that those of one round can be compared. */
export interface Figure {
  readonly who: string;
  readonly samples: readonly number[];
}

/** Middle of the sorted samples, the mean of the two for an even number. NaN for none. */
export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}

/** Between the samples by straight lines (type 7 of Hyndman and Fan, what most programs do). NaN for none. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

/** Least and greatest sample. */
export function spread(samples: readonly number[]): readonly [number, number] {
  return [Math.min(...samples), Math.max(...samples)];
}

/**
 * The ratio of each round: what was measured one after the other is compared, so that a machine that becomes slower
 * meanwhile does not count for or against anybody.
 */
export function ratios(of: Figure, to: Figure): number[] {
  const rounds = Math.min(of.samples.length, to.samples.length);
  return Array.from({ length: rounds }, (_, round) => (of.samples[round] ?? 0) / (to.samples[round] ?? 0));
}

/** Slope of the straight line that fits best (least squares), in units of `y` per unit of `x`. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const meanX = points.reduce((sum, [x]) => sum + x, 0) / points.length;
  const meanY = points.reduce((sum, [, y]) => sum + y, 0) / points.length;
  const above = points.reduce((sum, [x, y]) => sum + (x - meanX) * (y - meanY), 0);
  const below = points.reduce((sum, [x]) => sum + (x - meanX) ** 2, 0);
  return below === 0 ? 0 : above / below;
}
