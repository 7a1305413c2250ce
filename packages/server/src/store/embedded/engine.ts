import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { StoreError } from '../store-error.ts';

type FromWorker =
  | { readonly kind: 'ready' | 'closed' }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Uint8Array }
  | { readonly kind: 'error'; readonly id: number; readonly message: string };

interface Waiting {
  resolve(answer: Uint8Array): void;
  reject(error: StoreError): void;
}

/**
 * One run of the embedded database, in a worker thread. It is one session of one server: it carries bytes of the
 * PostgreSQL wire protocol and leaves their meaning to the driver.
 */
export class Engine {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #dir: string;
  readonly #onLost: (error: StoreError) => void;
  #next = 0;
  #lost: StoreError | undefined;
  #closing = false;

  private constructor(dir: string, worker: Worker, onLost: (error: StoreError) => void) {
    this.#dir = dir;
    this.#worker = worker;
    this.#onLost = onLost;
  }

  /** Opens the database whose files are in `dir`, or makes one there; rejects with `store_lost`. */
  static open(dir: string, onLost: (error: StoreError) => void): Promise<Engine> {
    const worker = new Worker(new URL('./engine.js', import.meta.url), {
      workerData: { dir },
      // Loaders of this thread are not for the worker, and neither are its secrets.
      execArgv: [],
      env: {},
      stdout: true,
      stderr: true,
    });
    worker.stdout.resume();
    worker.stderr.resume();
    const engine = new Engine(dir, worker, onLost);
    return new Promise((resolve, reject) => {
      engine.#listen(() => resolve(engine), reject);
    });
  }

  /** Runs a batch of whole wire messages that ends where the server answers; resolves with the answer's bytes. */
  execute(batch: Uint8Array): Promise<Uint8Array> {
    if (this.#lost) return Promise.reject(this.#lost);
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ kind: 'execute', id, batch });
    });
  }

  /** Lets everything begun finish, then closes the database and ends the thread. */
  async close(): Promise<void> {
    if (this.#lost || this.#closing) return;
    this.#closing = true;
    const gone = new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()));
    this.#worker.postMessage({ kind: 'close' });
    await gone;
  }

  #listen(ready: () => void, failed: (error: StoreError) => void): void {
    const fail = (message: string, cause?: unknown): void => {
      if (this.#lost) return;
      this.#lost = new StoreError('store_lost', message, cause);
      for (const waiting of this.#waiting.values()) waiting.reject(this.#lost);
      this.#waiting.clear();
      failed(this.#lost);
      if (!this.#closing) this.#onLost(this.#lost);
    };
    this.#worker.on('message', (message: FromWorker) => {
      if (message.kind === 'ready') {
        ready();
      } else if (message.kind === 'failed') {
        this.#closing = true;
        fail(
          `The embedded store in ${this.#dir} does not open: ${message.message}. If the directory was damaged, move it away; recordings are kept elsewhere and stay whole.`,
        );
        void this.#worker.terminate();
      } else if (message.kind === 'answer' || message.kind === 'error') {
        const waiting = this.#waiting.get(message.id);
        this.#waiting.delete(message.id);
        if (message.kind === 'answer') waiting?.resolve(message.answer);
        else waiting?.reject(new StoreError('store_lost', `The embedded store failed: ${message.message}`));
      }
    });
    this.#worker.on('error', (error) => fail(`The embedded store in ${this.#dir} died: ${messageOf(error)}.`, error));
    this.#worker.on('exit', () => fail(`The embedded store in ${this.#dir} is closed.`));
  }
}

/**
 * Opens the database kept under `dir`, making it first when there is none. `onLost` is called once if it dies later,
 * after everything that waited for it was rejected.
 */
export async function startEngine(dir: string, onLost: (error: StoreError) => void): Promise<Engine> {
  const data = join(dir, 'data');
  if (!existsSync(data)) {
    // Made aside and renamed when whole: a process killed meanwhile leaves nothing that looks like a database. And in
    // a thread of its own: making one takes far more memory than running it, which goes back with the thread.
    const draft = join(dir, 'data.new');
    rmSync(draft, { recursive: true, force: true });
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const maker = await Engine.open(draft, () => {});
    await maker.close();
    renameSync(draft, data);
  }
  return Engine.open(data, onLost);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
