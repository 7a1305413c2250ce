// docs/dependencies.md says of every runtime dependency what it is for. What can be compared with the manifests and
// with what is installed is compared here; whether the reasons are good ones is for people to say.
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { filesUnder, root } from './source-tree.ts';

interface Dependency {
  readonly name: string;
  readonly version: string;
  readonly usedBy: readonly string[];
  readonly licence: string;
}

/** Runtime dependencies over all packages, those on each other left out. */
function declared(): Dependency[] {
  const found = new Map<string, { versions: Set<string>; usedBy: string[] }>();
  for (const path of filesUnder('packages').filter((each) => /^packages\/\w+\/package\.json$/.test(each))) {
    const { dependencies = {} } = readJson(path);
    for (const [name, version] of Object.entries<string>(dependencies)) {
      if (name.startsWith('@sluice/')) continue;
      const entry = found.get(name) ?? { versions: new Set(), usedBy: [] };
      entry.versions.add(version);
      entry.usedBy.push(basename(dirname(path)));
      found.set(name, entry);
    }
  }
  return [...found].map(([name, { versions, usedBy }]) => ({
    name,
    version: [...versions].join(' and '),
    usedBy: usedBy.sort(),
    licence: licenceOf(readJson(`node_modules/${name}/package.json`)),
  }));
}

/** The form before today's was a list. */
function licenceOf({ license, licenses = [] }: { license?: string; licenses?: readonly { type: string }[] }): string {
  return license ?? licenses.map(({ type }) => type).join(' OR ');
}

/** Rows `| \`name\` | version | packages | what for | what else was looked at | licence |`. */
function described(text: string): (Dependency & { readonly reasons: readonly string[] })[] {
  return text.split('\n').flatMap((line) => {
    const cells = line.split('|').map((cell) => cell.trim());
    const name = /^`([^`]+)`$/.exec(cells[1] ?? '')?.[1];
    if (name === undefined) return [];
    const [, , version = '', usedBy = '', use = '', others = '', licence = ''] = cells;
    return [{ name, version, usedBy: usedBy.split(', ').sort(), licence, reasons: [use, others] }];
  });
}

function readJson(path: string) {
  return JSON.parse(readFileSync(join(root, path), 'utf8'));
}

const byName = (a: Dependency, b: Dependency) => (a.name < b.name ? -1 : 1);
const rows = described(readFileSync(join(root, 'docs/dependencies.md'), 'utf8'));

describe('runtime dependencies', () => {
  test('are all described, with the version, users and licence they have, and nothing else is', () => {
    const facts = rows.map(({ reasons: _, ...row }) => row);
    expect(facts.sort(byName)).toEqual(declared().sort(byName));
  });

  test('are described with a reason and with what else was looked at', () => {
    expect(rows.filter(({ reasons }) => reasons.some((reason) => reason.length < 15)).map(({ name }) => name)).toEqual(
      [],
    );
  });

  test('and the rule sees rows', () => {
    const row = '| `left-pad` | 1.0.0 | cli, server | puts blanks in front | writing the loop | MIT |';
    expect(described(`# x\n\n| Package | |\n|---|---|\n${row}\n`)).toEqual([
      {
        name: 'left-pad',
        version: '1.0.0',
        usedBy: ['cli', 'server'],
        licence: 'MIT',
        reasons: ['puts blanks in front', 'writing the loop'],
      },
    ]);
  });
});
