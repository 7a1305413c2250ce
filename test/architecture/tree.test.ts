import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { filesUnder, root } from './source-tree.ts';

interface Locked {
  readonly license?: string;
  readonly link?: boolean;
  readonly optional?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const lockfile: { packages: Record<string, Locked> } = JSON.parse(
  readFileSync(join(root, 'package-lock.json'), 'utf8'),
);

const text = /\.(?:ts|js|mjs|json|ya?ml|md|cedar|sql|sh|toml)$|\/run$|LICENSE$/;
const files = filesUnder('.').filter((path) => text.test(path) && path !== 'package-lock.json');

describe('the tree', () => {
  test('names no place on the machine of whoever wrote it', () => {
    // Home folders and scratch folders of people and machines; spelled in pieces, so that this file is none of them.
    const invented = '(?!home/(?:me|you)/|root/\\.ssh/)';
    const personal = new RegExp(`(?<![\\w.])/${invented}(?:${['home', 'Users', 'root', 'work'].join('|')})/[\\w.-]+/`);
    const named = files.flatMap((path) => {
      const lines = readFileSync(join(root, path), 'utf8').split('\n');
      return lines.flatMap((line, index) => (personal.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : []));
    });
    expect(named).toEqual([]);
  });

  test('holds no key or password file but those that tests are about', () => {
    const forgotten = filesUnder('.').filter(
      (path) => !path.includes('/fixtures/') && /\.(?:pem|key|p12|pfx|pgpass)$|(?:^|\/)\.env(?:\.|$)/.test(path),
    );
    expect(forgotten).toEqual([]);
  });
});

describe('dependencies', () => {
  const installed = Object.entries(lockfile.packages).filter(
    ([path, { link }]) => path.includes('node_modules/') && !link,
  );

  test('are free of licences that would bind who uses the project', () => {
    const bound = installed.filter(([path, { license = olderForm(path) ?? '' }]) => {
      // "A or B" leaves the choice to us.
      return license
        .replace(/[()]/g, '')
        .split(/ OR /i)
        .every((choice) => /\b[AL]?GPL|SSPL|BUSL|CC-BY-NC/i.test(choice));
    });
    expect(bound.map(([path, { license }]) => `${path}: ${license}`)).toEqual([]);
  });

  test('say their licence', () => {
    const silent = installed.filter(([path, { license }]) => (license ?? olderForm(path)) === undefined);
    expect(silent.map(([path]) => path)).toEqual([]);
  });

  test('are all in the lockfile, those of other platforms too, without which a clean installation is refused', () => {
    const missing = Object.entries(lockfile.packages).flatMap(([path, { dependencies, optionalDependencies }]) =>
      Object.keys({ ...dependencies, ...optionalDependencies })
        .filter((name) => !foldersUp(path).some((folder) => `${folder}node_modules/${name}` in lockfile.packages))
        .map((name) => `${path}: ${name}`),
    );
    expect(missing).toEqual([]);
  });

  test('are pinned to exact versions', () => {
    const manifests = filesUnder('.').filter((path) => /^(?:packages\/\w+\/)?package\.json$/.test(path));
    const loose = manifests.flatMap((path) => {
      const { dependencies = {}, devDependencies = {} } = JSON.parse(readFileSync(join(root, path), 'utf8'));
      return Object.entries<string>({ ...dependencies, ...devDependencies }).flatMap(([name, version]) =>
        /^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version) ? [] : [`${path}: ${name} ${version}`],
      );
    });
    expect(loose).toEqual([]);
  });
});

/** Packages from before 2014's form have a list, `licenses`, which the lockfile does not repeat. */
function olderForm(path: string): string | undefined {
  const file = join(root, path, 'package.json');
  // An optional one may not be here; what it says was looked at where it was added.
  if (!existsSync(file)) return lockfile.packages[path]?.optional ? 'not installed' : undefined;
  const { licenses } = JSON.parse(readFileSync(file, 'utf8')) as { licenses?: readonly { readonly type: string }[] };
  return licenses?.map(({ type }) => type).join(' OR ');
}

/** Where Node looks for a package from here: the folder's own `node_modules`, then those above it. */
function foldersUp(path: string): string[] {
  const parts = path === '' ? [] : path.split('/');
  return Array.from({ length: parts.length + 1 }, (_, cut) => parts.slice(0, parts.length - cut))
    .filter((folder) => folder.at(-1) !== 'node_modules')
    .map((folder) => folder.map((part) => `${part}/`).join(''));
}
