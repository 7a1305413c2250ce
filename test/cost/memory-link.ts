import type { ClientLink, UpstreamSocket } from '@sluice/core/contract/link.ts';

/** One end of a connection in memory: what is written is kept until it is taken. */
export class MemoryLink implements ClientLink, UpstreamSocket {
  readonly remote = '127.0.0.1:1';
  readonly loopback = true;
  readonly secure = false;
  readonly canTls = false;
  /** Calls that a socket would make a system call for. */
  writes = 0;
  /** Takes what is written at once, as an operating system does that has room. */
  takesAtOnce = false;
  readonly #written: Uint8Array[] = [];
  #onData: ((chunk: Uint8Array) => void) | undefined;
  readonly #early: Uint8Array[] = [];
  #onClose: () => void = () => {};
  #corked = 0;

  send(bytes: Uint8Array): void {
    if (this.#onData) this.#onData(bytes);
    else this.#early.push(bytes);
  }

  taken(): Buffer {
    return Buffer.concat(this.parts());
  }

  /** As it was written, piece by piece; taken. */
  parts(): readonly Uint8Array[] {
    return this.#written.splice(0);
  }

  /** Forgets what was written, without looking at it. */
  clear(): void {
    this.#written.length = 0;
  }

  onData(callback: (chunk: Uint8Array) => void): void {
    this.#onData = callback;
    for (const bytes of this.#early.splice(0)) callback(bytes);
  }
  onClose(callback: () => void): void {
    this.#onClose = callback;
  }
  onDrain(): void {}
  write(bytes: Uint8Array): boolean {
    this.#written.push(this.takesAtOnce ? Buffer.from(bytes) : bytes);
    if (this.#corked === 0) this.writes++;
    return true;
  }
  get sent(): boolean {
    return this.takesAtOnce;
  }
  cork(): void {
    this.#corked++;
  }
  uncork(): void {
    this.#corked--;
    this.writes++;
  }
  pause(): void {}
  resume(): void {}
  end(): void {
    this.#onClose();
  }
  destroy(): void {
    this.#onClose();
  }
  startTls(): Promise<void> {
    return Promise.reject(new Error('there is no TLS in memory'));
  }
  channelBinding(): undefined {
    return undefined;
  }
}
