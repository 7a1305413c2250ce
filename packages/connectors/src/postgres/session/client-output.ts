import type { ClientLink } from '@sluice/core/contract/link.ts';

/** Collects what one turn of the event loop has to say to the client; neighbouring frames go out as one slice. */
export class ClientOutput {
  readonly #link: ClientLink;
  readonly #parts: Uint8Array[] = [];
  #buffer: ArrayBufferLike | undefined;
  #start = 0;
  #end = 0;
  #flowing = true;

  constructor(link: ClientLink) {
    this.#link = link;
  }

  /** A frame that goes through as it came: kept as a view, joined with the one before when they touch in memory. */
  pass(frame: Uint8Array): void {
    if (frame.buffer === this.#buffer && frame.byteOffset === this.#end) {
      this.#end += frame.length;
      return;
    }
    this.#closeSlice();
    this.#buffer = frame.buffer;
    this.#start = frame.byteOffset;
    this.#end = frame.byteOffset + frame.length;
  }

  write(bytes: Uint8Array): void {
    this.#closeSlice();
    this.#parts.push(bytes);
  }

  /** False while the client reads slower than we write: from a write that did not fit until `drained`. */
  flush(): boolean {
    this.#closeSlice();
    if (this.#parts.length === 0) return this.#flowing;
    const parts = this.#parts.splice(0);
    if (parts.length === 1 && parts[0]) {
      this.#flowing = this.#link.write(parts[0]);
      return this.#flowing;
    }
    this.#link.cork();
    for (const part of parts) this.#flowing = this.#link.write(part);
    this.#link.uncork();
    return this.#flowing;
  }

  drained(): void {
    this.#flowing = true;
  }

  #closeSlice(): void {
    if (this.#buffer === undefined) return;
    this.#parts.push(new Uint8Array(this.#buffer, this.#start, this.#end - this.#start));
    this.#buffer = undefined;
  }
}
