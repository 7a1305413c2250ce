// The embedded database that a gateway keeps its own rows in, made once for a run of the tests and copied from then on:
// making one takes a gateway longer than everything else at its start. It is empty, without even the gateway's schema,
// so that each gateway still brings that up to date itself. Tests of how a gateway makes its database do not use this.

import { constants, cpSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startEngine } from '@sluice/server/store/embedded/engine.ts';
import { runFolder } from './run-folder.ts';

/** Leaves a data directory that has a database already as it is. */
export async function prepareStore(dataDir: string): Promise<void> {
  const folder = runFolder();
  const store = join(dataDir, 'store');
  if (folder === undefined || existsSync(store)) return;
  const made = join(folder, 'store');
  if (!existsSync(made)) await make(folder, made);
  mkdirSync(store, { recursive: true, mode: 0o700 });
  cpSync(join(made, 'data'), join(store, 'data'), { recursive: true, mode: constants.COPYFILE_FICLONE });
}

async function make(folder: string, made: string): Promise<void> {
  const draft = join(folder, 'store.draft');
  try {
    mkdirSync(draft);
  } catch {
    // Another process is at it; one that failed has left nothing to wait for.
    while (existsSync(draft)) await pause(20);
    return existsSync(made) ? undefined : make(folder, made);
  }
  try {
    // It may have come to be since the caller looked.
    if (existsSync(made)) return;
    await (await startEngine(draft)).close();
    renameSync(draft, made);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}
