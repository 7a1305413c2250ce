import type { Link } from '@sluice/core/contract/link.ts';
import { GatheredLink } from './gathered-link.ts';

/** A client's link that counts what comes in until the client is trusted, and lets more than one hear of its end. */
export class MeteredLink extends GatheredLink {
  readonly #most: number;
  readonly #tooMuch: () => void;
  #taken = 0;
  #trusted = false;
  #onClose: (error?: Error) => void = () => {};
  #closed: () => void = () => {};

  constructor(link: Link, most: number, tooMuch: () => void) {
    super(link);
    this.#most = most;
    this.#tooMuch = tooMuch;
    super.onClose((error) => {
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

  override onData(callback: (chunk: Uint8Array) => void): void {
    super.onData((chunk) => {
      this.#taken += chunk.length;
      if (this.#trusted || this.#taken <= this.#most) callback(chunk);
      else this.#tooMuch();
    });
  }

  override onClose(callback: (error?: Error) => void): void {
    this.#onClose = callback;
  }
}
