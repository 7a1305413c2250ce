/**
 * The lock that lets one process at a time use a directory. It is not an advisory lock of the operating system (Node
 * offers none): it is a file per contender that names its process, checked against the processes that live.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fateOf, identityOf, type ProcessIdentity } from './process-identity.ts';
import { StoreError } from './store-error.ts';

const prefix = 'lock-';
/** How often a holder shows that it lives, for contenders that cannot see its process. */
const pulseInterval = 3_000;
const silence = 15_000;

export interface DirectoryLockOptions {
  /** Another process took the lock away, or its file is gone: stop using the directory at once. */
  readonly onLost?: (error: StoreError) => void;
}

/**
 * Takes the directory (made if need be) for this process until the returned function is called or the process ends,
 * however it ends. Rejects with `store_locked`, naming the holder, when another process has it. A holder in another
 * container or on another machine counts as gone once it has been silent for 15 s; that is waited for.
 */
export async function lockDirectory(dir: string, options: DirectoryLockOptions = {}): Promise<() => void> {
  const path = resolve(dir);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const name = `${prefix}${randomBytes(9).toString('hex')}`;
  const file = join(path, name);
  const content = JSON.stringify(identityOf(process.pid));
  const pulses = new Map<string, number>();
  for (let attempt = 0; ; attempt += 1) {
    // First the own claim, then the look around: of two contenders at least the later one sees the other. Names are
    // never used twice, so that removing a dead one can't hit a claim made meanwhile.
    claim(file, content);
    const rival = findRival(path, name, pulses);
    if (rival === undefined) break;
    rmSync(file, { force: true });
    if (rival.wait === undefined || attempt >= 20) throw locked(path, rival.holder);
    await pause(rival.wait);
  }
  return hold(path, file, content, options);
}

function claim(file: string, content: string): void {
  const draft = `${file}.new`;
  writeFileSync(draft, content, { mode: 0o600 });
  renameSync(draft, file);
}

interface Rival {
  readonly holder: ProcessIdentity;
  /** Milliseconds after which another look may tell something else; absent when it will not. */
  readonly wait?: number;
}

/** `pulses` remembers the last sign of life seen of each other contender, from one look around to the next. */
function findRival(path: string, own: string, pulses: Map<string, number>): Rival | undefined {
  const now = statSync(join(path, own)).mtimeMs;
  for (const name of readdirSync(path)) {
    if (!/^lock-[0-9a-f]{18}$/.test(name) || name === own) continue;
    const file = join(path, name);
    const holder = read(file);
    if (holder === undefined) continue;
    const pulse = pulseOf(file) ?? now;
    const fate = fateOf(holder);
    if (fate === 'dead' || (fate === 'elsewhere' && now - pulse > silence)) {
      rmSync(file, { force: true });
    } else if (fate === 'elsewhere') {
      const moved = (pulses.get(name) ?? pulse) !== pulse;
      pulses.set(name, pulse);
      return moved ? { holder } : { holder, wait: 1_000 };
    } else {
      // Two that started at the same moment may both step back: they try again, each after a time of its own.
      return now - pulse < 500 ? { holder, wait: 20 + Math.random() * 180 } : { holder };
    }
  }
  return undefined;
}

/** By the file system's clock, as our own claim's time is: clocks of two machines need not agree. */
function pulseOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs;
}

/** Undefined when it is gone. What can't be read is taken for a living holder that nobody can name. */
function read(file: string): ProcessIdentity | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (isIdentity(value)) return value;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
  }
  return { pid: 0, started: '', realm: 'unknown', host: 'unknown' };
}

function isIdentity(value: unknown): value is ProcessIdentity {
  if (typeof value !== 'object' || value === null) return false;
  const { pid, started, realm, host } = value as Partial<Record<keyof ProcessIdentity, unknown>>;
  return Number.isSafeInteger(pid) && [started, realm, host].every((field) => typeof field === 'string');
}

function hold(path: string, file: string, content: string, options: DirectoryLockOptions): () => void {
  let held = true;
  const release = (): void => {
    held = false;
    clearInterval(timer);
    process.removeListener('exit', release);
    rmSync(file, { force: true });
  };
  const beat = async (): Promise<void> => {
    // Writing what is there already: unlike setting the time, it takes the file system's clock, not ours.
    const handle = await open(file, 'r+');
    await handle.write(content, 0).finally(() => handle.close());
  };
  const timer = setInterval(() => {
    beat().catch((cause: unknown) => {
      if (!held) return;
      release();
      options.onLost?.(
        new StoreError('store_locked', `Lost the lock on ${path}: ${file} can't be kept any more.`, cause),
      );
    });
  }, pulseInterval);
  timer.unref();
  process.once('exit', release);
  return release;
}

function locked(path: string, holder: ProcessIdentity): StoreError {
  const who = holder.pid === 0 ? 'an unknown process' : `process ${holder.pid} on ${holder.host}`;
  return new StoreError(
    'store_locked',
    `${path} is in use by ${who}. Two gateways cannot share one data directory: stop that process first, or give this one a data directory of its own.`,
  );
}

function pause(ms: number): Promise<void> {
  return new Promise((resume) => setTimeout(resume, ms));
}
