import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fateOf, identityOf, type ProcessIdentity } from './store/process-identity.ts';
import { StoreError } from './store/store-error.ts';

/** Longer than a worker takes to end once its gateway is gone; milliseconds. */
const patience = 20_000;

/**
 * Which processes beside the gateway's own write recordings under the data directory. A gateway that died leaves workers
 * that end by themselves; until then nobody else may touch what they write.
 */
export class WorkerMarks {
  readonly #directory: string;

  constructor(dataDir: string) {
    this.#directory = join(dataDir, 'workers');
  }

  put(worker: number, pid: number): void {
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    writeFileSync(join(this.#directory, String(worker)), JSON.stringify(identityOf(pid)), { mode: 0o600 });
  }

  remove(worker: number): void {
    rmSync(join(this.#directory, String(worker)), { force: true });
  }

  /**
   * Waits until those of an earlier gateway are gone. Rejects with `store_locked` when one stays. Those of another
   * machine or container ended with the lock of theirs.
   */
  async awaitNone(): Promise<void> {
    const until = Date.now() + patience;
    for (const name of this.#names()) {
      const file = join(this.#directory, name);
      for (let holder = read(file); holder && fateOf(holder) === 'alive'; holder = read(file)) {
        if (Date.now() > until) throw stays(holder);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      rmSync(file, { force: true });
    }
  }

  #names(): string[] {
    try {
      return readdirSync(this.#directory);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }
}

/** Undefined for what was cut off while it was written: its worker had not been started then. */
function read(file: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity;
  } catch {
    return undefined;
  }
}

function stays({ pid }: ProcessIdentity): StoreError {
  return new StoreError(
    'store_locked',
    `Process ${pid}, a worker of a gateway that is gone, still writes recordings here. Stop that process, then start again.`,
  );
}
