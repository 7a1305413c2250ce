import type { Link } from '@sluice/core/contract/link.ts';

/** A client's link that counts what comes in until the client is trusted, and lets more than one hear of its end. */
export class MeteredLink implements Link {
  readonly #link: Link;
  readonly #most: number;
  readonly #tooMuch: () => void;
  #taken = 0;
  #trusted = false;
  #onClose: (error?: Error) => void = () => {};
  #closed: () => void = () => {};

  constructor(link: Link, most: number, tooMuch: () => void) {
    this.#link = link;
    this.#most = most;
    this.#tooMuch = tooMuch;
    link.onClose((error) => {
      this.#onClose(error);
      this.#closed();
    });
  }

  /** From now on nothing is counted. */
  trust(): void {
    this.#trusted = true;
  }

  /** Called behind `onClose`. */
  closed(callback: () => void): void {
    this.#closed = callback;
  }

  get remote(): string {
    return this.#link.remote;
  }

  get loopback(): boolean {
    return this.#link.loopback;
  }

  get secure(): boolean {
    return this.#link.secure;
  }

  onData(callback: (chunk: Uint8Array) => void): void {
    this.#link.onData((chunk) => {
      this.#taken += chunk.length;
      if (this.#trusted || this.#taken <= this.#most) callback(chunk);
      else this.#tooMuch();
    });
  }

  onClose(callback: (error?: Error) => void): void {
    this.#onClose = callback;
  }

  onDrain(callback: () => void): void {
    this.#link.onDrain(callback);
  }

  write(bytes: Uint8Array): boolean {
    return this.#link.write(bytes);
  }

  cork(): void {
    this.#link.cork();
  }

  uncork(): void {
    this.#link.uncork();
  }

  pause(): void {
    this.#link.pause();
  }

  resume(): void {
    this.#link.resume();
  }

  end(): void {
    this.#link.end();
  }

  destroy(): void {
    this.#link.destroy();
  }
}
