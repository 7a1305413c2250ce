import { lchown, lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { serverUser } from './unprivileged.ts';

/** Gives a folder, and all that is in it, to the user that test servers run as. */
export async function handToServer(path: string): Promise<void> {
  const user = serverUser();
  if (!user) return;
  await lchown(path, user.uid, user.gid);
  if (!(await lstat(path)).isDirectory()) return;
  for (const name of await readdir(path)) await handToServer(join(path, name));
}
