import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { type PolicyError, policyError } from '@sluice/policy/error.ts';
import type { PolicyFile } from '@sluice/policy/source/pieces.ts';
import { glob } from 'tinyglobby';

/** Policies are written by people: what is larger is not a policy file. */
const maxBytes = 1024 * 1024;
const maxFiles = 1000;

export interface FilesRead {
  /** In the order of their paths, which are relative to the directory. */
  readonly files: readonly PolicyFile[];
  /** Why some of it could not be read; then `files` must not be used, for a forbid may be missing from it. */
  readonly problems: readonly PolicyError[];
  /** Absolute; where a change of the files would show. */
  readonly directories: readonly string[];
  /** Those of them where the search begins; a pattern whose own is missing finds nothing. */
  readonly bases: readonly string[];
}

/** Reads the files that match, globs as seen from `directory`. Never rejects. */
export async function readPolicyFiles(directory: string, globs: readonly string[]): Promise<FilesRead> {
  const problems: PolicyError[] = [];
  const fail = (path: string, message: string, hint = ''): void => {
    problems.push(policyError(relative(directory, path) || '.', { line: 1, column: 1 }, message, hint));
  };
  const directories = new Set<string>();
  const bases = new Set<string>();
  const files: PolicyFile[] = [];
  try {
    for (const [path, place] of await placesOf(directory, globs)) {
      if (!(await searchable(path, place, fail))) continue;
      directories.add(path);
      if (place.isBase) bases.add(path);
    }
    const paths = (await find(directory, globs)).sort();
    if (paths.length > maxFiles) fail(directory, `more than ${maxFiles} policy files match`);
    for (const path of paths.slice(0, maxFiles)) {
      directories.add(dirname(path));
      const text = await readText(path, fail, directories);
      if (text !== undefined) files.push({ path: relative(directory, path), text });
    }
  } catch (error) {
    fail(directory, `the policy files could not be listed: ${reason(error)}`);
  }
  return { files, problems, directories: [...directories].sort(), bases: [...bases].sort() };
}

type Fail = (path: string, message: string, hint?: string) => void;

const options = { absolute: true, dot: false, expandDirectories: false, onlyFiles: true } as const;

async function find(directory: string, globs: readonly string[]): Promise<string[]> {
  if (globs.length === 0) return [];
  const found = await glob([...globs], { ...options, cwd: directory });
  return [...new Set(found.map((path) => resolve(path)))];
}

/** A directory in which a matching file could be. */
interface Place {
  readonly isBase: boolean;
  /** How names must end to matter. */
  readonly suffix: string;
}

async function placesOf(directory: string, globs: readonly string[]): Promise<Map<string, Place>> {
  const found = new Map<string, Place>();
  const add = (path: string, isBase: boolean, suffix: string): void => {
    const known = found.get(path);
    const either = known && known.suffix !== suffix ? '' : suffix;
    found.set(path, { isBase: isBase || known?.isBase === true, suffix: either });
  };
  for (const pattern of globs) {
    if (pattern.startsWith('!')) continue;
    const { base, deep } = baseOf(pattern);
    const suffix = deep ? '' : (/[^*?[\]{}()!+@/]*$/.exec(pattern)?.[0] ?? '');
    add(resolve(directory, base), true, suffix);
    if (!deep) continue;
    const below = `${base === '' ? '' : `${base.replace(/\/$/, '')}/`}**`;
    const inside = await glob(below, { ...options, cwd: directory, onlyFiles: false, onlyDirectories: true });
    for (const path of inside) add(resolve(path), false, suffix);
  }
  return found;
}

/** The part of a pattern before its first wildcard, and whether there are wildcards among the directories. */
export function baseOf(pattern: string): { base: string; deep: boolean } {
  const steps = pattern.split('/');
  const wild = steps.findIndex((step) => /[*?[\]{}()!+@]/.test(step));
  const fixed = wild < 0 ? steps.slice(0, -1) : steps.slice(0, wild);
  const base = fixed.join('/');
  return { base: base === '' && pattern.startsWith('/') ? '/' : base, deep: wild >= 0 && wild < steps.length - 1 };
}

/**
 * The search passes silently over directories it can't read and links that lead nowhere; either may hide a forbid. A
 * directory that isn't there holds no policies.
 */
async function searchable(path: string, { suffix }: Place, fail: Fail): Promise<boolean> {
  try {
    for (const entry of await readdir(path, { withFileTypes: true })) {
      if (!entry.isSymbolicLink() || entry.name.startsWith('.') || !entry.name.endsWith(suffix)) continue;
      await stat(join(path, entry.name)).catch((error: unknown) => {
        fail(join(path, entry.name), `the link can't be followed: ${reason(error)}`);
      });
    }
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (code !== 'ENOENT' && code !== 'ENOTDIR') fail(path, `the directory can't be read: ${reason(error)}`);
    return false;
  }
}

async function readText(path: string, fail: Fail, directories: Set<string>): Promise<string | undefined> {
  try {
    directories.add(dirname(await realpath(path)));
    if ((await stat(path)).size > maxBytes) {
      fail(path, `the file is larger than ${maxBytes} bytes`, 'Divide it.');
      return undefined;
    }
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(path));
  } catch (error) {
    const text = error instanceof TypeError ? 'the file is not UTF-8' : `the file can't be read: ${reason(error)}`;
    fail(path, text);
    return undefined;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function reason(error: unknown): string {
  const code = codeOf(error);
  return typeof code === 'string' ? code : error instanceof Error ? error.message : String(error);
}
