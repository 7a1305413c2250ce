/**
 * Whom the demo's targets run as, and where their files can lie: a database refuses to run as root, and what an agent
 * starts on the build host should not either. It starts nothing itself, and knows no target.
 */
import { execFile } from 'node:child_process';
import { chown, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The operating-system account a process is started under; absent ids mean "as we are". */
export interface Account {
  readonly name: string;
  readonly ids: { readonly uid?: number; readonly gid?: number };
}

/** Tried in this order when we are root. */
const unprivileged = ['postgres', 'nobody'];

/**
 * Who the targets run as: we ourselves, unless we are root. PostgreSQL needs an account that exists by name (initdb looks
 * its own user up), so an arbitrary free uid would not do.
 */
export async function targetAccount(): Promise<Account> {
  if (process.getuid?.() !== 0) return { name: 'current user', ids: {} };
  for (const name of unprivileged) {
    const uid = await lookUp('-u', name);
    const gid = await lookUp('-g', name);
    if (uid !== undefined && gid !== undefined && uid !== 0) return { name, ids: { uid, gid } };
  }
  throw new Error(
    `PostgreSQL refuses to run as root, and none of the accounts ${unprivileged.join(', ')} exists here. ` +
      'Start the demo as an ordinary user, or create one of them (useradd --system postgres).',
  );
}

async function lookUp(flag: '-u' | '-g', name: string): Promise<number | undefined> {
  try {
    const { stdout } = await run('id', [flag, name]);
    const id = Number.parseInt(stdout, 10);
    return Number.isInteger(id) ? id : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the account may pass through every folder down to and including `path` (mode bits only; no ACLs). */
export async function canReach(account: Account, path: string): Promise<boolean> {
  const { uid, gid } = account.ids;
  if (uid === undefined) return true;
  let folder = resolve(path);
  for (;;) {
    const info = await stat(folder);
    const mayPass = info.uid === uid ? info.mode & 0o100 : info.gid === gid ? info.mode & 0o010 : info.mode & 0o001;
    if (!mayPass) return false;
    const above = dirname(folder);
    if (above === folder) return true;
    folder = above;
  }
}

/** Makes the account the owner of a file or folder; nothing to do where it is ours anyway. */
export async function give(account: Account, path: string): Promise<void> {
  const { uid, gid } = account.ids;
  if (uid !== undefined && gid !== undefined) await chown(path, uid, gid);
}
