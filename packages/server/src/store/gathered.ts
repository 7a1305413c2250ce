/** In one lot; far below what one statement may carry. */
const most = 500;

interface Waiting<T> {
  readonly item: T;
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Writes of the same kind, gathered: the first one is on its way at once, those that come soon after it go together. They
 * are written in the order in which they came, never two lots at a time.
 */
export class Gathered<T> {
  readonly #write: (items: readonly T[]) => Promise<void>;
  readonly #pause: number;
  #waiting: Waiting<T>[] = [];
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #lastBegun = Number.NEGATIVE_INFINITY;

  /** `pause`: milliseconds from the beginning of one lot to that of the next. */
  constructor(pause: number, write: (items: readonly T[]) => Promise<void>) {
    this.#pause = pause;
    this.#write = write;
  }

  /** Resolves once it is written. What the store refuses of a lot is tried once more by itself, and rejects for itself. */
  add(item: T): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      this.#arm();
    });
  }

  /** Resolves once what came before is written, or has failed. */
  async flush(): Promise<void> {
    while (this.#waiting.length > 0 || this.#writing) await (this.#writing ?? this.#begin());
  }

  #arm(): void {
    if (this.#timer || this.#writing || this.#waiting.length === 0) return;
    const wait = this.#lastBegun + this.#pause - performance.now();
    if (wait <= 0) void this.#begin();
    else this.#timer = setTimeout(() => void this.#begin(), wait);
  }

  #begin(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#lastBegun = performance.now();
    const lot = this.#waiting.splice(0, most);
    const writing = this.#run(lot).then(() => {
      this.#writing = undefined;
      this.#arm();
    });
    this.#writing = writing;
    return writing;
  }

  /** Never rejects. */
  async #run(lot: readonly Waiting<T>[]): Promise<void> {
    try {
      await this.#write(lot.map(({ item }) => item));
      for (const { resolve } of lot) resolve();
    } catch (error) {
      if (lot.length === 1) lot[0]?.reject(error);
      else for (const one of lot) await this.#run([one]);
    }
  }
}
