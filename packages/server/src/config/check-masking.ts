import { nearest } from './nearest.ts';
import type { Finding } from './problem.ts';
import type { ConfigDocument } from './schema.ts';

export function checkMasking({ masking, targets }: ConfigDocument): Finding[] {
  const found: Finding[] = [];
  const labels = Object.keys(masking.labels);
  const names = targets.map((target) => target.name);
  for (const [label, patterns] of Object.entries(masking.labels)) {
    for (const [index, pattern] of patterns.entries()) {
      const path = ['masking', 'labels', label, index];
      const segments = splitPattern(pattern);
      if (!segments) {
        const message = 'must be <target>.<schema>.<table>.<column>, * in any place, "…" around a part with a dot';
        found.push({ severity: 'error', path, message });
        continue;
      }
      const target = segments[0] ?? '';
      if (names.some((name) => matches(target, name))) continue;
      if (target.includes('*')) {
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
      message: 'no data has this label in masking.labels',
    };
    found.push(near === undefined ? finding : { ...finding, nearest: near });
  }
  return found;
}

/** Four parts, each plain or in double quotes (a quote inside doubled); undefined for anything else. */
function splitPattern(pattern: string): string[] | undefined {
  const part = '(?:"((?:[^"]|"")+)"|([^".\\s]+))';
  const match = new RegExp(`^${part}\\.${part}\\.${part}\\.${part}$`).exec(pattern);
  if (!match) return undefined;
  return [1, 3, 5, 7].map((group) => match[group]?.replaceAll('""', '"') ?? match[group + 1] ?? '');
}

function matches(pattern: string, name: string): boolean {
  const source = pattern.split('*').map((text) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${source.join('.*')}$`, 's').test(name);
}
