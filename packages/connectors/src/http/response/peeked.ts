/** A body of which one can know whether there is anything in it before it is read. To be read once. */
export class Peeked implements AsyncIterable<Uint8Array> {
  readonly #pieces: AsyncIterator<Uint8Array>;
  #first: Promise<IteratorResult<Uint8Array>> | undefined;

  constructor(body: AsyncIterable<Uint8Array>) {
    this.#pieces = body[Symbol.asyncIterator]();
  }

  /** Waits for the first byte, or the end. Rejects like reading. */
  async empty(): Promise<boolean> {
    this.#first ??= this.#some();
    return (await this.#first).done === true;
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    try {
      for (;;) {
        const next = await (this.#first ?? this.#pieces.next());
        this.#first = undefined;
        if (next.done) return;
        yield next.value;
      }
    } finally {
      // Leaving early lets go of the connection.
      await this.#pieces.return?.();
    }
  }

  async #some(): Promise<IteratorResult<Uint8Array>> {
    for (;;) {
      const next = await this.#pieces.next();
      if (next.done || next.value.length > 0) return next;
    }
  }
}
