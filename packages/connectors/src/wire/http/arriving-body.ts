/** What holds the other side back, or breaks it off. */
export interface Flow {
  pause(): void;
  resume(): void;
  abort(reason: Error): void;
}

/** Bytes of a body that may already be there as a whole. To be read once, in one of two ways. */
export interface BodyBytes extends AsyncIterable<Uint8Array> {
  /** All of it, if all of it is here and is no more than so many bytes; it is read then. Else nothing has happened. */
  taken?(most: number): Uint8Array | undefined;
}

/** So many bytes wait for whoever reads them; behind them the other side waits. */
const highWater = 64 * 1024;
const none = new Uint8Array(0);

/**
 * The body of a response as it arrives. Most are here in one piece, with their head, before anybody can ask for them:
 * those cost no promise.
 */
export class ArrivingBody implements BodyBytes {
  readonly #flow: Flow;
  /** In the order they came. */
  #pieces: Uint8Array[] = [];
  #size = 0;
  #paused = false;
  #ended = false;
  #left = false;
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;

  constructor(flow: Flow) {
    this.#flow = flow;
  }

  push(piece: Uint8Array): void {
    if (this.#left || piece.length === 0) return;
    this.#pieces.push(piece);
    this.#size += piece.length;
    if (this.#size >= highWater && !this.#paused) {
      this.#paused = true;
      this.#flow.pause();
    }
    this.#tell();
  }

  end(): void {
    this.#ended = true;
    this.#tell();
  }

  /** What has come before it can still be read. */
  fail(error: unknown): void {
    if (this.#ended) return;
    this.#failure ??= { error };
    this.#tell();
  }

  taken(most: number): Uint8Array | undefined {
    if (!this.#ended || this.#left || this.#size > most) return undefined;
    this.#left = true;
    const [first = none] = this.#pieces;
    const all = this.#pieces.length > 1 ? Buffer.concat(this.#pieces, this.#size) : first;
    this.#pieces = [];
    return all;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    try {
      for (;;) {
        const piece = this.#next();
        if (piece) {
          yield piece;
          continue;
        }
        if (this.#failure) throw this.#failure.error;
        if (this.#ended) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      this.leave();
    }
  }

  /** Nobody reads any further; where it is not here as a whole, the connection goes with it. */
  leave(): void {
    if (this.#left) return;
    this.#left = true;
    this.#pieces = [];
    if (!this.#ended && !this.#failure) this.#flow.abort(new Error('nobody reads the answer any further'));
  }

  #next(): Uint8Array | undefined {
    const piece = this.#pieces.shift();
    if (!piece) return undefined;
    this.#size -= piece.length;
    if (this.#paused && this.#size === 0) {
      this.#paused = false;
      this.#flow.resume();
    }
    return piece;
  }

  #tell(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
