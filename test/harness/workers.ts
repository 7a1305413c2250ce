// The workers of a gateway under test, as its log tells of them.
import { readFile } from 'node:fs/promises';

/** Process ids by the number of the worker: of those that were started last. */
export async function workersIn(logFile: string): Promise<Map<number, number>> {
  return startedIn(await readFile(logFile, 'utf8'));
}

/** The same from the text of a log. */
export function startedIn(log: string): Map<number, number> {
  const found = new Map<number, number>();
  for (const line of log.split('\n')) {
    if (!line.includes('a worker takes connections')) continue;
    const { worker, pid } = JSON.parse(line) as { worker: number; pid: number };
    found.set(worker, pid);
  }
  return found;
}

/** Whether a process is there and does something: one that ended and was not waited for is not. */
export async function lives(pid: number): Promise<boolean> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
    return !/\) Z /.test(stat);
  } catch {
    return false;
  }
}
