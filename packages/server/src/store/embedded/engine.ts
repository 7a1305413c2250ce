import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { StoreError } from '../store-error.ts';
import { lastWords } from './last-words.ts';

type FromWorker =
  | { readonly kind: 'ready' | 'closed' }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: Uint8Array }
  | { readonly kind: 'error'; readonly id: number; readonly message: string };

interface Waiting {
  resolve(answer: Uint8Array): void;
  reject(error: StoreError): void;
  readonly late: NodeJS.Timeout;
}

/** Milliseconds after which a batch without an answer means that the engine is stuck: ours take a few. */
const patience = 30_000;

/**
 * One run of the embedded database, in a worker thread. It is one session of one server: it carries bytes of the
 * PostgreSQL wire protocol and leaves their meaning to the driver.
 */
export class Engine {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  readonly #dir: string;
  readonly #lossCallbacks = new Set<(error: StoreError) => void>();
  readonly #patience: number;
  #failed: (error: StoreError) => void = () => {};
  #next = 0;
  #lost: StoreError | undefined;
  #closing = false;

  private constructor(dir: string, worker: Worker, wait: number) {
    this.#dir = dir;
    this.#worker = worker;
    this.#patience = wait;
  }

  /** Opens the database whose files are in `dir`, or makes one there; rejects with `store_lost`. */
  static open(dir: string, wait = patience): Promise<Engine> {
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
    const engine = new Engine(dir, worker, wait);
    return new Promise((resolve, reject) => {
      engine.#listen(() => resolve(engine), reject);
    });
  }

  /** Runs a batch of whole wire messages that ends where the server answers; resolves with the answer's bytes. */
  execute(batch: Uint8Array): Promise<Uint8Array> {
    if (this.#lost) return Promise.reject(this.#lost);
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => this.#fail(`The embedded store in ${this.#dir} hangs.`), this.#patience);
      late.unref();
      this.#waiting.set(id, { resolve, reject, late });
      this.#worker.postMessage({ kind: 'execute', id, batch });
    });
  }

  /** Calls back once when it has ended, orderly or not, after whoever waited was told; at once when it has already. */
  whenLost(callback: (error: StoreError) => void): void {
    if (this.#lost) callback(this.#lost);
    else this.#lossCallbacks.add(callback);
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
    this.#failed = failed;
    this.#worker.on('message', (message: FromWorker) => {
      if (message.kind === 'ready') ready();
      else if (message.kind === 'failed') this.#failToOpen(message.message);
      else if (message.kind === 'answer') this.#answered(message.id, message.answer);
      // It threw something that is no answer of a database: nobody knows what state it is in.
      else if (message.kind === 'error') this.#fail(`The embedded store in ${this.#dir} broke: ${message.message}.`);
    });
    this.#worker.on('error', (error) => this.#fail(`The embedded store in ${this.#dir} died: ${error}.`, error));
    this.#worker.on('exit', () => this.#fail(`The embedded store in ${this.#dir} is closed.`));
  }

  #answered(id: number, answer: Uint8Array): void {
    const waiting = this.#waiting.get(id);
    if (!waiting) return;
    this.#waiting.delete(id);
    clearTimeout(waiting.late);
    waiting.resolve(answer);
    const last = lastWords(answer);
    if (last !== undefined) this.#fail(`The embedded store in ${this.#dir} gave up: ${last}.`);
  }

  #failToOpen(why: string): void {
    this.#closing = true;
    this.#fail(
      `The embedded store in ${this.#dir} does not open: ${why}. Is the disk full? If the directory was damaged, move it away; recordings are kept elsewhere and stay whole.`,
    );
  }

  /** It is of no use any more: the thread ends, even from within a loop, and whoever waits is told. */
  #fail(message: string, cause?: unknown): void {
    if (this.#lost) return;
    const lost = new StoreError('store_lost', message, cause);
    this.#lost = lost;
    void this.#worker.terminate();
    for (const waiting of this.#waiting.values()) {
      clearTimeout(waiting.late);
      waiting.reject(lost);
    }
    this.#waiting.clear();
    this.#failed(lost);
    for (const callback of [...this.#lossCallbacks]) callback(lost);
  }
}

/**
 * Opens the database kept under `dir`, making it first when there is none. `onLost` is called once if it dies later,
 * after everything that waited for it was rejected.
 */
export async function startEngine(dir: string, wait = patience): Promise<Engine> {
  const data = join(dir, 'data');
  if (!existsSync(data)) {
    // Made aside and renamed when whole: a process killed meanwhile leaves nothing that looks like a database. And in
    // a thread of its own: making one takes far more memory than running it, which goes back with the thread.
    const draft = join(dir, 'data.new');
    rmSync(draft, { recursive: true, force: true });
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const maker = await Engine.open(draft);
    await maker.close();
    renameSync(draft, data);
  }
  return Engine.open(data, wait);
}
