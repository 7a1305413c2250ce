import { fitsDepth, type LabelPattern, matchesTarget, parseLabelPattern } from '@sluice/core/masking/label-pattern.ts';
import { MaskingError } from '@sluice/core/masking/masking-error.ts';
import { nearest } from './nearest.ts';
import type { DocumentPath, Finding } from './problem.ts';
import type { ConfigDocument } from './schema.ts';
import type { KnownConnector } from './schema-targets.ts';

export function checkMasking({ masking, targets }: ConfigDocument, connectors: readonly KnownConnector[]): Finding[] {
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
      const named = targets.filter(({ name }) => matchesTarget(parsed, name));
      if (named.length > 0) {
        found.push(...checkDepth(parsed, named, connectors, path));
        continue;
      }
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

/** Where data always has the same depth, a pattern of another length matches nothing: a segment was lost. */
function checkDepth(
  pattern: LabelPattern,
  named: ConfigDocument['targets'],
  connectors: readonly KnownConnector[],
  path: DocumentPath,
): Finding[] {
  const unfit = named.flatMap(({ name, connector }) => {
    const labelled = connectors.find(({ id }) => id === connector)?.targets.labelled;
    return labelled === undefined || fitsDepth(pattern, labelled.split('.').length) ? [] : [{ name, labelled }];
  });
  const [first] = unfit;
  if (!first) return [];
  const message = `has ${pattern.segments.length} segments and so matches nothing on ${first.name}, where data is named <target>.${first.labelled}`;
  if (unfit.length === named.length) return [{ severity: 'error', path, message }];
  // Meant for every target, or for those whose data has any depth: then nothing was lost.
  const all = pattern.segments[0];
  const everywhere = all !== undefined && 'parts' in all && all.parts.every((part) => part === '');
  return everywhere ? [] : [{ severity: 'warning', path, message }];
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
