import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Reads what pgbench's `-l` wrote with this prefix, and removes it: the milliseconds of every transaction. Its lines are
 * `client transaction microseconds script seconds microseconds`.
 */
export async function takeLatencies(folder: string, prefix: string): Promise<number[]> {
  const found: number[] = [];
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${prefix}.`)) continue;
    const path = join(folder, name);
    for (const line of (await readFile(path, 'utf8')).split('\n')) {
      const microseconds = line.split(' ')[2];
      if (microseconds !== undefined) found.push(Number(microseconds) / 1000);
    }
    await rm(path);
  }
  return found;
}
