/**
 * Sets of labels as sorted arrays without duplicates: most are empty or the same one, so joining them is nearly always
 * free, and equal sets print equal.
 */
export type Labels = readonly string[];

export const noLabels: Labels = [];

export function joinLabels(a: Labels, b: Labels): Labels {
  if (a.length === 0 || a === b) return b;
  if (b.length === 0) return a;
  if (containsLabels(a, b)) return a;
  if (containsLabels(b, a)) return b;
  return [...new Set([...a, ...b])].sort();
}

export function joinAllLabels(sets: Iterable<Labels>): Labels {
  let all = noLabels;
  for (const set of sets) all = joinLabels(all, set);
  return all;
}

/** True when every label of `inner` is in `outer`. */
export function containsLabels(outer: Labels, inner: Labels): boolean {
  return inner.every((label) => outer.includes(label));
}

export function sameLabels(a: Labels, b: Labels): boolean {
  return a.length === b.length && containsLabels(a, b);
}
