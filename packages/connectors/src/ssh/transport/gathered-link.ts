import { Buffer } from 'node:buffer';
import type { Link } from '@sluice/core/contract/link.ts';

/** What may come before the line that ends the identification (RFC 4253 section 4.2), with it. */
const longest = 8 * 1024;

/**
 * A link whose first lines come whole: the library loses bytes of an identification that arrives in more than two
 * pieces. Everything behind it passes as it comes.
 */
export class GatheredLink implements Link {
  readonly #link: Link;
  #first: Buffer | undefined = Buffer.alloc(0);

  constructor(link: Link) {
    this.#link = link;
  }

  onData(callback: (chunk: Uint8Array) => void): void {
    this.#link.onData((chunk) => {
      const whole = this.#gathered(chunk);
      if (whole) callback(whole);
    });
  }

  onClose(callback: (error?: Error) => void): void {
    this.#link.onClose(callback);
  }

  #gathered(chunk: Uint8Array): Uint8Array | undefined {
    if (!this.#first) return chunk;
    const first = Buffer.concat([this.#first, chunk]);
    const whole = first.length > longest || /(^|\n)SSH-[^\n]*\n/.test(first.toString('latin1'));
    this.#first = whole ? undefined : first;
    return whole ? first : undefined;
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
