import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';

const interval = 500;
/** So many samples in a row must lie within the share of each other. */
const still = 10;
const share = 0.005;
const patience = 60_000;

/** KiB of memory that a process has resident, with that of its children, as Linux tells. */
export async function residentMemory(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const own = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN);
  const children = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8'))
    .split(' ')
    .filter((each) => each !== '');
  const theirs = await Promise.all(children.map((child) => residentMemory(Number(child))));
  return theirs.reduce((sum, each) => sum + each, own);
}

/** The same once it does not change any more; what it is after a minute if it does not stop changing. */
export async function settled(pid: number): Promise<number> {
  const samples: number[] = [];
  const deadline = Date.now() + patience;
  for (;;) {
    samples.push(await residentMemory(pid));
    const last = samples.slice(-still);
    const even = Math.max(...last) - Math.min(...last) <= Math.max(...last) * share;
    if ((last.length === still && even) || Date.now() > deadline) return samples.at(-1) ?? Number.NaN;
    await pause(interval);
  }
}
