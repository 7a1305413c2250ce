import { Duplex } from 'node:stream';
import type { Link } from '@sluice/core/contract/link.ts';

/** Parts of no more bytes than these together are copied into one. */
const copied = 16 * 1024;

/**
 * A link as a Node stream, for libraries that speak a protocol over a stream they are given. The link's callbacks belong
 * to the stream from then on. `unread` comes before whatever the link brings.
 */
export class LinkDuplex extends Duplex {
  readonly #link: Link;
  #waiting: ((error?: Error | null) => void) | undefined;
  #closed = false;

  constructor(link: Link, unread?: Uint8Array) {
    super({ allowHalfOpen: true });
    this.#link = link;
    if (unread?.length) this.push(unread);
    link.onData((chunk) => {
      if (!this.push(chunk)) link.pause();
    });
    link.onDrain(() => {
      const done = this.#waiting;
      this.#waiting = undefined;
      done?.();
    });
    link.onClose((error) => {
      this.#closed = true;
      const unfinished = this.#waiting;
      this.#waiting = undefined;
      if (error) this.destroy(error);
      else this.push(null);
      unfinished?.(error ?? closedError());
    });
  }

  override _read(): void {
    this.#link.resume();
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#closed) done(closedError());
    else if (this.#link.write(chunk)) done();
    else this.#waiting = done;
  }

  override _writev(
    chunks: readonly { readonly chunk: Uint8Array; readonly encoding: BufferEncoding }[],
    done: (error?: Error | null) => void,
  ): void {
    if (this.#closed) {
      done(closedError());
      return;
    }
    let size = 0;
    for (const { chunk } of chunks) size += chunk.length;
    let flowing = true;
    if (size <= copied) {
      // One piece goes through the streams below for less than its parts and a list of them.
      const bytes = chunks.map(({ chunk }) => chunk);
      if (size > 0) flowing = this.#link.write(Buffer.concat(bytes, size));
    } else {
      this.#link.cork();
      for (const { chunk } of chunks) flowing = this.#link.write(chunk);
      this.#link.uncork();
    }
    if (flowing) done();
    else this.#waiting = done;
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#link.end();
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#link.destroy();
    done(error);
  }
}

function closedError(): Error {
  return new Error('the connection is closed');
}
