import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { connectors } from '@sluice/connectors/index.ts';
import { formatPolicyError } from '@sluice/policy/error.ts';
import { loadPolicies } from '@sluice/policy/load.ts';
import { policyReference } from '@sluice/policy/reference.ts';
import type { PolicyFile } from '@sluice/policy/source/pieces.ts';
import type { Config } from '@sluice/server/config/config.ts';
import { loadConfig } from '@sluice/server/config/load.ts';
import { formatProblem } from '@sluice/server/config/problem.ts';
import { knownConnectors } from '@sluice/server/gateway-connectors.ts';
import { testPolicies } from '@sluice/server/policy-desk.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

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

/** Every folder of examples with a configuration of its own; what they share is in the first. */
const examples = readdirSync(new URL('examples/', root), { recursive: true, encoding: 'utf8' })
  .filter((path) => basename(path) === 'sluice.yaml')
  .map((path) => join('examples', dirname(path)));

test.each<[string, () => PolicyFile[]]>([
  ['the demo', () => filesIn('packages/demo/policies')],
  ...examples.map((folder): [string, () => PolicyFile[]] => [folder, () => filesIn(`${folder}/policies`)]),
  ['the guide', guide],
])('the policies of %s are valid with the connectors that ship', (_, files) => {
  expect(files().length).toBeGreaterThan(0);
  const loaded = loadPolicies(files(), declarations);
  expect(loaded.ok ? [] : loaded.errors.map(formatPolicyError)).toEqual([]);
});

describe.each(examples)('%s', (folder) => {
  let copy: string;
  let config: Config;
  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), 'sluice-example-'));
    cpSync(new URL(`${folder}/`, root), copy, { recursive: true });
    const file = join(copy, 'sluice.yaml');
    const text = readFileSync(file, 'utf8');
    // What an operator would provide.
    const secrets = new Map<string, string>();
    for (const [, name = ''] of text.matchAll(/env:(\w+)/g)) secrets.set(name, 'unused');
    for (const [, path = ''] of text.matchAll(/file:(\S+)/g)) {
      mkdirSync(dirname(join(copy, path)), { recursive: true });
      writeFileSync(join(copy, path), 'unused\n', { mode: 0o600 });
    }
    const environment = { variables: Object.fromEntries(secrets) };
    config = loadConfig(file, { connectors: knownConnectors, environment });
  });
  afterAll(() => rmSync(copy, { recursive: true, force: true }));

  test('is a configuration with nothing to say against it', () => {
    expect(config.warnings.map(formatProblem)).toEqual([]);
  });

  test('has policies that pass their tests', async () => {
    const path = join(copy, 'policies', 'tests.yaml');
    const { results } = await testPolicies(config, path, readFileSync(path, 'utf8'));
    expect(results.filter(({ passed }) => !passed)).toEqual([]);
    expect(results.length).toBeGreaterThan(3);
  });
});

test('docs/policy-reference.md is what the connectors declare (npm run docs brings it up to date)', () => {
  expect(read('docs/policy-reference.md')).toBe(policyReference(declarations));
});
