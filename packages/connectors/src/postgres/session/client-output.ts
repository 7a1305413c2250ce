import type { ClientLink } from '@sluice/core/contract/link.ts';
import { ByteWriter } from '../../wire/byte-writer.ts';

/** A frame up to this size that follows bytes of our own is copied behind them: one write less. */
const joined = 1_024;
const firstCapacity = 1_024;
const fullCapacity = 65_536;

/**
 * Collects what one turn of the event loop has to say to the client: neighbouring frames that go through as they came
 * go out as one slice, and what is made here is written into one buffer.
 */
export class ClientOutput {
  readonly #link: ClientLink;
  readonly #parts: Uint8Array[] = [];
  #made = new ByteWriter(firstCapacity);
  #buffer: ArrayBufferLike | undefined;
  #start = 0;
  #end = 0;
  #flowing = true;

  constructor(link: ClientLink) {
    this.#link = link;
  }

  /** A frame that goes through as it came: kept as a view, joined with the one before when they touch in memory. */
  pass(frame: Uint8Array): void {
    this.passPart(frame, 0, frame.length);
  }

  /** As `pass`, for the bytes from `start` to `end`. */
  passPart(bytes: Uint8Array, start: number, end: number): void {
    const from = bytes.byteOffset + start;
    const to = bytes.byteOffset + end;
    if (bytes.buffer === this.#buffer && from === this.#end) {
      this.#end = to;
      return;
    }
    if (this.#made.length > 0) {
      if (end - start <= joined) {
        this.#made.copy(bytes, start, end);
        return;
      }
      this.#closeMade();
    }
    this.#closeSlice();
    this.#buffer = bytes.buffer;
    this.#start = from;
    this.#end = to;
  }

  write(bytes: Uint8Array): void {
    this.writer().bytes(bytes);
  }

  /** Where to write what comes next; ask again after anything else was said. */
  writer(): ByteWriter {
    this.#closeSlice();
    if (this.#made.length >= fullCapacity) this.#closeMade();
    return this.#made;
  }

  /** False while the client reads slower than we write: from a write that did not fit until `drained`. */
  flush(): boolean {
    this.#closeSlice();
    this.#closeMade();
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
    this.#parts.push(Buffer.from(this.#buffer, this.#start, this.#end - this.#start));
    this.#buffer = undefined;
  }

  /** Who makes much at once will go on so; an idle session keeps a small buffer. */
  #closeMade(): void {
    const { length } = this.#made;
    if (length > 0)
      this.#parts.push(this.#made.release(length >= fullCapacity / 2 ? fullCapacity + joined : firstCapacity));
  }
}
