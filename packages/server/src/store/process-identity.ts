import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Enough to recognise one process for certain, also after its number was given to another one. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque; differs between two processes that had the same number. Empty where the platform tells nothing. */
  readonly started: string;
  /** Opaque; equal for processes that can see each other: same boot of the same machine, same container. */
  readonly realm: string;
  readonly host: string;
}

export function identityOf(pid: number): ProcessIdentity {
  return { pid, started: startOf(pid), realm: realm(), host: hostname() };
}

/** `elsewhere` when this process cannot know: the other one ran on another machine, in another container or boot. */
export function fateOf(other: ProcessIdentity): 'alive' | 'dead' | 'elsewhere' {
  if (other.realm !== realm()) return 'elsewhere';
  if (!exists(other.pid)) return 'dead';
  const started = startOf(other.pid);
  return started === other.started || started === '' || other.started === '' ? 'alive' : 'dead';
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there, but belongs to someone else.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function startOf(pid: number): string {
  if (process.platform === 'linux') {
    // proc(5): field 22 is the start time; field 2, the command, may itself hold spaces and parentheses.
    const stat = quietly(() => readFileSync(`/proc/${pid}/stat`, 'latin1'));
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie holds nothing any more: its files are closed, only its number is not free yet.
    return fields[0] === 'Z' ? 'zombie' : (fields[19] ?? '');
  }
  if (process.platform === 'win32') return '';
  return quietly(() => execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' })).trim();
}

function realm(): string {
  if (process.platform !== 'linux') return hostname();
  const boot = quietly(() => readFileSync('/proc/sys/kernel/random/boot_id', 'latin1')).trim();
  const processes = quietly(() => readlinkSync('/proc/self/ns/pid'));
  return `${boot} ${processes}`;
}

function quietly(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
