import { chmod, lstat, mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Account, canReach, give } from './account.ts';

/**
 * The folder of a target's own files, owned by its account: `name` inside `dir`, or, where the account can't get there
 * (root working below /root), one among the temporary files that is remembered in `dir`.
 */
export async function homeFor(account: Account, dir: string, name: string): Promise<string> {
  const note = join(dir, 'location');
  const remembered = (await readFile(note, 'utf8').catch(() => '')).trim();
  if (remembered !== '' && (await belongsTo(account, remembered))) return remembered;
  const inside = join(dir, name);
  if ((await canReach(account, dir)) && (await isGiven(account, inside))) return inside;
  const home = await temporaryFolder(account);
  await makeHome(account, home);
  await writeFile(note, `${home}\n`);
  return home;
}

/** False where the file system has no owners, or keeps root from choosing them (network shares, some mounts). */
async function isGiven(account: Account, home: string): Promise<boolean> {
  try {
    await makeHome(account, home);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EPERM' || code === 'EINVAL' || code === 'ENOTSUP') return false;
    throw error;
  }
}

async function temporaryFolder(account: Account): Promise<string> {
  for (const base of new Set([tmpdir(), '/tmp', '/var/tmp'])) {
    const reachable = await canReach(account, base).catch(() => false);
    if (reachable) return mkdtemp(join(base, 'sluice-demo-'));
  }
  throw new Error(
    `The account ${account.name} that the targets run as can reach neither the data directory nor a temporary folder. ` +
      'Choose a data directory that is not below a private folder: --data-dir /var/lib/sluice-demo',
  );
}

/** Whether the path is a folder that the account owns: a stranger could have put something else there. */
async function belongsTo(account: Account, path: string): Promise<boolean> {
  const info = await lstat(path).catch(() => undefined);
  const owner = account.ids.uid ?? process.getuid?.();
  return info?.isDirectory() === true && (owner === undefined || info.uid === owner);
}

/** A folder that is the account's alone. */
export async function makeHome(account: Account, home: string): Promise<void> {
  await mkdir(home, { recursive: true, mode: 0o700 });
  await chmod(home, 0o700);
  await give(account, home);
}
