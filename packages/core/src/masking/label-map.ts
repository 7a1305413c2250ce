import type { LabelMap } from '../contract/labels.ts';
import { type LabelPattern, matchesLeaf, matchesTarget, parseLabelPattern } from './label-pattern.ts';

/**
 * The operator's `masking.labels`, `{ 'pii.email': ['*.customers.email'] }`. Throws `invalid_pattern` with the label
 * and the pattern in its message. See `parseLabelPattern` for what a pattern may be.
 */
export function createLabelMap(configured: Readonly<Record<string, readonly string[]>>): LabelMap {
  const rules = Object.entries(configured)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([label, patterns]) => ({ label, patterns: patterns.map((text) => parseLabelPattern(label, text)) }));
  const labelsWhere = (holds: (pattern: LabelPattern) => boolean) =>
    rules.filter(({ patterns }) => patterns.some(holds)).map(({ label }) => label);
  return {
    of: (target, path) => labelsWhere((pattern) => matchesLeaf(pattern, target, path)),
    all: (target) => labelsWhere((pattern) => matchesTarget(pattern, target)),
  };
}
