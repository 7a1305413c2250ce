// The workers of a gateway under test, by the marks that it keeps of them in its data directory.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Process ids by the number of the worker. */
export async function workersOf(dataDir: string): Promise<Map<number, number>> {
  const directory = join(dataDir, 'workers');
  const found = new Map<number, number>();
  for (const name of (await readdir(directory)).sort()) {
    // One that has just ended has no mark any more.
    const text = await readFile(join(directory, name), 'utf8').catch(() => '{}');
    const { pid } = JSON.parse(text) as { pid?: number };
    if (pid !== undefined) found.set(Number(name), pid);
  }
  return found;
}

/** Whether a process is there and does something: one that ended and was not waited for is not. */
export async function lives(pid: number): Promise<boolean> {
  try {
    return !/\) Z /.test(await readFile(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}
