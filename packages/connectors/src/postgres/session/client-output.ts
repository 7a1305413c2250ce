import type { ClientLink } from '@sluice/core/contract/link.ts';
import { ByteWriter } from '../../wire/byte-writer.ts';
import { giveSpare, takeSpare } from '../../wire/spare-buffers.ts';

/** A frame up to this size that follows bytes of our own, or goes before them, is copied to them: one write less. */
const joined = 1_024;
const firstCapacity = 1_024;
const fullCapacity = 65_536;
/** What is expected to be longer gets one of the buffers that are used again. */
const large = 4_096;

/**
 * Collects what one turn of the event loop has to say to the client: neighbouring frames that go through as they came
 * go out as one slice, and what is made here is written into one buffer.
 */
export class ClientOutput {
  readonly #link: ClientLink;
  readonly #parts: Uint8Array[] = [];
  /** What is being written into, or is in `#parts`, of the buffers that are used again. */
  readonly #spares: Buffer[] = [];
  /** Whether the system took what was last written at once; where it does not (TLS, a slow client) nothing can be used again. */
  #reuses = true;
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

  /** Where to write what comes next, about so many bytes of it; ask again after anything else was said. */
  writer(expected = 0): ByteWriter {
    if (this.#made.length >= fullCapacity) this.#closeMade();
    const before = this.#end - this.#start;
    const joins = this.#buffer !== undefined && this.#made.length === 0 && before <= joined;
    if (!joins) this.#closeSlice();
    if (expected > large && this.#made.length <= joined && this.#made.left < expected) this.#prepare(expected);
    if (joins && this.#buffer !== undefined) {
      this.#made.bytes(new Uint8Array(this.#buffer, this.#start, before));
      this.#buffer = undefined;
    }
    return this.#made;
  }

  /** False while the client reads slower than we write: from a write that did not fit until `drained`. */
  flush(): boolean {
    this.#closeSlice();
    this.#closeMade();
    if (this.#parts.length === 0) {
      this.#giveBack(true);
      return this.#flowing;
    }
    const parts = this.#parts.splice(0);
    if (parts.length === 1 && parts[0]) {
      this.#flowing = this.#link.write(parts[0]);
    } else {
      this.#link.cork();
      for (const part of parts) this.#flowing = this.#link.write(part);
      this.#link.uncork();
    }
    if (this.#spares.length > 0 || !this.#reuses) {
      this.#reuses = this.#link.sent === true;
      this.#giveBack(this.#reuses);
    }
    return this.#flowing;
  }

  drained(): void {
    this.#flowing = true;
  }

  #prepare(expected: number): void {
    if (this.#reuses) {
      const spare = takeSpare();
      this.#made.adopt(spare);
      this.#spares.push(spare);
    } else {
      this.#made.reserve(Math.min(expected, fullCapacity) + joined);
    }
  }

  /** `sent`: nobody reads them any more. */
  #giveBack(sent: boolean): void {
    if (this.#spares.length === 0) return;
    // Nothing may be written into one from here, not even where nothing was.
    this.#made.release(firstCapacity);
    for (const spare of this.#spares.splice(0)) if (sent) giveSpare(spare);
  }

  #closeSlice(): void {
    if (this.#buffer === undefined) return;
    this.#parts.push(Buffer.from(this.#buffer, this.#start, this.#end - this.#start));
    this.#buffer = undefined;
  }

  #closeMade(): void {
    if (this.#made.length > 0) this.#parts.push(this.#made.release(firstCapacity));
  }
}
