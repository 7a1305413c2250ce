import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { systemPostgres } from './postgres-binaries.ts';

/** A real client program, or why there is none here. */
export type RealClient =
  | { readonly there: true; readonly path: string; readonly version: string }
  | { readonly there: false; readonly reason: string };

/** PostgreSQL's own terminal. */
export function findPsql(): RealClient {
  return findServerTool('psql');
}

/** PostgreSQL's own benchmark. */
export function findPgbench(): RealClient {
  return findServerTool('pgbench');
}

export function findPgDump(): RealClient {
  return findServerTool('pg_dump');
}

/** A Python that can import the driver: `psycopg` (3), `psycopg2`, `asyncpg`. */
export function findPython(driver: 'psycopg' | 'psycopg2' | 'asyncpg'): RealClient {
  const python = onPath('python3');
  if (!python) return { there: false, reason: 'no python3 on PATH' };
  const version = output(python, ['-c', `import ${driver}; print("${driver}", ${driver}.__version__)`]);
  if (version === undefined) return { there: false, reason: `python3 has no module ${driver}` };
  return { there: true, path: python, version };
}

/** A Python that can import the module. */
export function findPythonModule(module: string): RealClient {
  const python = onPath('python3');
  if (!python) return { there: false, reason: 'no python3 on PATH' };
  const version = output(python, ['-c', `import ${module}; print("${module}", ${module}.__version__)`]);
  if (version === undefined) return { there: false, reason: `python3 has no module ${module}` };
  return { there: true, path: python, version };
}

/** A program that is not asked for its version, for not every one has a way to be. */
export function findOnPath(name: string): RealClient {
  const path = onPath(name);
  return path ? { there: true, path, version: '' } : { there: false, reason: `no ${name} on PATH` };
}

/** The name of a test that needs the client: says why when it will be skipped. */
export function needing(client: RealClient, name: string): string {
  return client.there ? name : `${name} (skipped: ${client.reason})`;
}

function findServerTool(name: string): RealClient {
  const beside = systemPostgres()?.postgres.replace(/postgres$/, name);
  const path = beside && existsSync(beside) ? beside : onPath(name);
  const version = path && output(path, ['--version']);
  if (!path || version === undefined)
    return { there: false, reason: `no ${name} on PATH or under /usr/lib/postgresql` };
  return { there: true, path, version };
}

function onPath(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path));
}

function output(path: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync(path, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 30_000 }).trim();
  } catch {
    return undefined;
  }
}
