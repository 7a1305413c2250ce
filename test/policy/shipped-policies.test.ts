import { readdirSync, readFileSync } from 'node:fs';
import { connectors } from '@sluice/connectors/index.ts';
import { formatPolicyError } from '@sluice/policy/error.ts';
import { loadPolicies } from '@sluice/policy/load.ts';
import { policyReference } from '@sluice/policy/reference.ts';
import type { PolicyFile } from '@sluice/policy/source/pieces.ts';
import { expect, test } from 'vitest';

const root = new URL('../../', import.meta.url);
const declarations = connectors.map(({ declares }) => declares);
const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

function filesIn(folder: string): PolicyFile[] {
  const names = readdirSync(new URL(`${folder}/`, root)).filter((name) => name.endsWith('.cedar'));
  return names.map((name) => ({ path: `${folder}/${name}`, text: read(`${folder}/${name}`) }));
}

function guide(): PolicyFile[] {
  const blocks = [...read('docs/policies.md').matchAll(/```cedar\n([\s\S]*?)```/g)];
  return blocks.map((match, index) => ({ path: `docs/policies.md, block ${index + 1}`, text: match[1] ?? '' }));
}

test.each<[string, () => PolicyFile[]]>([
  ['the demo', () => filesIn('packages/demo/policies')],
  ['the example', () => filesIn('examples/policies')],
  ['the guide', guide],
])('the policies of %s are valid with the connectors that ship', (_, files) => {
  expect(files().length).toBeGreaterThan(0);
  const loaded = loadPolicies(files(), declarations);
  expect(loaded.ok ? [] : loaded.errors.map(formatPolicyError)).toEqual([]);
});

test('docs/policy-reference.md is what the connectors declare (npm run docs brings it up to date)', () => {
  expect(read('docs/policy-reference.md')).toBe(policyReference(declarations));
});
