import type { ClientLink, Link } from '@sluice/core/contract/link.ts';
import { CoreError } from '@sluice/core/domain/error.ts';

/** Bytes that may wait at one end before its writer is told to stop. */
const mostWaiting = 262_144;

/**
 * Two ends of one connection that never leaves the process: what is written at one is read at the other, in order, with
 * the pauses, drains and closings of a socket. For a connector that speaks its own protocol to itself, so that what is
 * asked for by other means takes the way of every client. It is no network: there is no TLS, and nobody in between.
 */
export function linkPair(remote: string): { readonly near: Link; readonly far: ClientLink } {
  const near = new End(remote);
  const far = new End(remote);
  near.join(far);
  far.join(near);
  return { near, far };
}

class End implements ClientLink {
  readonly remote: string;
  readonly loopback = true;
  readonly secure = false;
  readonly canTls = false;
  readonly #arrived: Uint8Array[] = [];
  #arrivedBytes = 0;
  #other: End | undefined;
  #onData: ((chunk: Uint8Array) => void) | undefined;
  #onClose: () => void = () => {};
  #onDrain: () => void = () => {};
  #paused = false;
  #scheduled = false;
  /** The other side wants to hear when there is room again. */
  #full = false;
  #ended = false;
  #noMore = false;
  #closed = false;

  constructor(remote: string) {
    this.remote = remote;
  }

  join(other: End): void {
    this.#other = other;
  }

  onData(callback: (chunk: Uint8Array) => void): void {
    this.#onData = callback;
    this.#schedule();
  }

  onClose(callback: (error?: Error) => void): void {
    this.#onClose = callback;
    if (this.#closed) queueMicrotask(() => callback());
  }

  onDrain(callback: () => void): void {
    this.#onDrain = callback;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#closed || this.#ended || this.#other === undefined) return true;
    return this.#other.#take(bytes);
  }

  cork(): void {
    // Nothing to save: no system call is made for a write.
  }

  uncork(): void {
    // See `cork`.
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#schedule();
  }

  end(): void {
    if (this.#closed || this.#ended) return;
    this.#ended = true;
    // As with a socket, whoever said goodbye reads on only to see the other side go.
    this.#paused = false;
    this.#schedule();
    const other = this.#other;
    if (other) other.#finish();
  }

  destroy(): void {
    this.#close();
    const other = this.#other;
    if (other) other.#close();
  }

  startTls(): Promise<void> {
    return Promise.reject(new CoreError('client_protocol', 'client', 'There is no TLS within the gateway.'));
  }

  channelBinding(): Uint8Array | undefined {
    return undefined;
  }

  #take(bytes: Uint8Array): boolean {
    if (bytes.length === 0 || this.#closed) return true;
    this.#arrived.push(bytes);
    this.#arrivedBytes += bytes.length;
    this.#schedule();
    if (this.#arrivedBytes > mostWaiting) this.#full = true;
    return !this.#full;
  }

  #finish(): void {
    this.#noMore = true;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#closed) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#deliver();
    });
  }

  #deliver(): void {
    while (!this.#paused && !this.#closed && this.#onData !== undefined) {
      const chunk = this.#arrived.shift();
      if (!chunk) break;
      this.#arrivedBytes -= chunk.length;
      this.#onData(chunk);
    }
    if (this.#full && this.#arrivedBytes <= mostWaiting / 2) {
      this.#full = false;
      const other = this.#other;
      if (other) other.#onDrain();
    }
    if (this.#noMore && this.#arrived.length === 0) this.destroy();
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#arrived.length = 0;
    this.#arrivedBytes = 0;
    setImmediate(() => this.#onClose());
  }
}
