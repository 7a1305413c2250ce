/** What the group looks after. */
export interface Syncable {
  /** Hands what was appended to the operating system; false when there is nothing left to sync. Never throws. */
  settle(): boolean;
  sync(): Promise<void>;
}

/** Syncs that run at once. The thread pool behind them also serves name lookups and file reads. */
const parallel = 2;

/**
 * Makes recordings durable in groups: whoever wrote within an interval is synced at its end. An interval in which
 * nothing was written costs nothing.
 */
export class SyncGroup {
  readonly #interval: number;
  readonly #dirty = new Set<Syncable>();
  #timer: NodeJS.Timeout | undefined;
  #running = false;

  /** Milliseconds. */
  constructor(interval: number) {
    this.#interval = interval;
  }

  add(recording: Syncable): void {
    this.#dirty.add(recording);
    if (!this.#running) this.#arm();
  }

  remove(recording: Syncable): void {
    this.#dirty.delete(recording);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #arm(): void {
    this.#timer ??= setTimeout(() => void this.#round(), this.#interval).unref();
  }

  async #round(): Promise<void> {
    this.#timer = undefined;
    this.#running = true;
    const due = [...this.#dirty];
    this.#dirty.clear();
    const lane = async (): Promise<void> => {
      for (let next = due.pop(); next; next = due.pop()) if (next.settle()) await next.sync();
    };
    await Promise.all(Array.from({ length: parallel }, lane));
    this.#running = false;
    if (this.#dirty.size > 0) this.#arm();
  }
}
