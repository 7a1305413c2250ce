import { matchesTarget, parseLabelPattern } from '@sluice/core/masking/label-pattern.ts';
import { MaskingError } from '@sluice/core/masking/masking-error.ts';
import { nearest } from './nearest.ts';
import type { Finding } from './problem.ts';
import type { ConfigDocument } from './schema.ts';

export function checkMasking({ masking, targets }: ConfigDocument): Finding[] {
  const found: Finding[] = [];
  const labels = [...Object.keys(masking.labels), ...masking.detect];
  const names = targets.map((target) => target.name);
  for (const [label, patterns] of Object.entries(masking.labels)) {
    for (const [index, pattern] of patterns.entries()) {
      const path = ['masking', 'labels', label, index];
      const parsed = parse(label, pattern);
      if (typeof parsed === 'string') {
        found.push({ severity: 'error', path, message: parsed });
        continue;
      }
      if (names.some((name) => matchesTarget(parsed, name))) continue;
      const first = parsed.segments[0];
      const target = first !== undefined && 'name' in first ? first.name : undefined;
      if (target === undefined) {
        found.push({ severity: 'warning', path, message: 'no target has a name like this' });
        continue;
      }
      // A typo here would show data in clear that was meant to be masked.
      const near = nearest(target, names);
      const finding: Finding = { severity: 'error', path, message: `there is no target ${target}` };
      found.push(near === undefined ? finding : { ...finding, nearest: near });
    }
  }
  for (const label of Object.keys(masking.strategies)) {
    if (labels.includes(label)) continue;
    const near = nearest(label, labels);
    const path = ['masking', 'strategies', label];
    const finding: Finding = {
      severity: 'error',
      path,
      atKey: true,
      message: 'no data has this label in masking.labels, and masking.detect does not look for it',
    };
    found.push(near === undefined ? finding : { ...finding, nearest: near });
  }
  return found;
}

/** The pattern, or what is wrong with it; where it stands is said by the finding. */
function parse(label: string, pattern: string): ReturnType<typeof parseLabelPattern> | string {
  try {
    return parseLabelPattern(label, pattern);
  } catch (error) {
    if (!(error instanceof MaskingError)) throw error;
    return error.message.replace(`masking.labels: label "${label}", pattern "${pattern}": `, '');
  }
}
