/**
 * Cuts a byte stream into PostgreSQL messages (protocol 3, "Message Formats": one type byte, an int32 length that counts
 * itself, a body). Pure and incremental: any split of the stream gives the same messages. Lengths are checked before
 * anything is kept; after the first error the framer is dead.
 */
export class FramingError extends Error {}

export interface FrameSink {
  /** One whole message; `frame` includes type and length and may be kept: nobody writes to it again. */
  frame(type: number, frame: Buffer): void;
  /**
   * Called where a message of the sink's `inRuns` begins at `at`: takes as many whole messages of that type as it likes,
   * and returns where the next one begins; `at` when it took none, which is then framed like any other.
   */
  run?(bytes: Buffer, at: number): number;
  readonly inRuns?: ReadonlySet<number>;
  /** A piece of a message that is passed on without being kept. `first` carries type and length in front. */
  piece(type: number, bytes: Buffer, first: boolean, last: boolean): void;
  /** A message above its cap, whose bytes are dropped as they arrive. Called once, when its header was read. */
  oversized(type: number, length: number): void;
}

/** What to do with a message of this type and length (the length on the wire, without the type byte). */
export type Treatment = 'keep' | 'stream' | 'skip' | 'fatal';

export class Framer {
  readonly #treat: (type: number, length: number) => Treatment;
  readonly #sink: FrameSink;
  readonly #runs: ReadonlySet<number> | undefined;
  #kept: Buffer[] = [];
  #keptLength = 0;
  /** Total bytes needed before the message at hand can be looked at. */
  #need = 5;
  #rest: { type: number; left: number; stream: boolean } | undefined;
  #dead = false;

  constructor(treat: (type: number, length: number) => Treatment, sink: FrameSink) {
    this.#treat = treat;
    this.#sink = sink;
    this.#runs = sink.inRuns;
  }

  /** Throws `FramingError` for a length that cannot be. */
  push(chunk: Buffer): void {
    if (this.#dead) throw new FramingError('the stream already failed');
    let bytes = chunk;
    // What was cut is put together by itself: nothing of the chunk is copied but the rest of that message.
    while (this.#rest || this.#keptLength > 0) {
      bytes = this.#rest ? this.#continue(this.#rest, bytes) : this.#complete(bytes);
      if (bytes.length === 0) return;
    }
    this.#cut(bytes);
  }

  /** Adds what is missing of a header or a message, and looks at it once it is whole; returns what lies behind it. */
  #complete(bytes: Buffer): Buffer {
    const missing = Math.min(this.#need - this.#keptLength, bytes.length);
    this.#kept.push(bytes.subarray(0, missing));
    this.#keptLength += missing;
    if (this.#keptLength === this.#need) {
      const whole = Buffer.concat(this.#kept, this.#keptLength);
      this.#kept = [];
      this.#keptLength = 0;
      this.#cut(whole);
    }
    return bytes.subarray(missing);
  }

  #cut(bytes: Buffer): void {
    let at = 0;
    while (bytes.length - at >= 5) {
      const type = bytes[at] ?? 0;
      if (this.#runs?.has(type)) {
        const next = this.#sink.run?.(bytes, at) ?? at;
        if (next > at) {
          at = next;
          continue;
        }
      }
      const length = bytes.readInt32BE(at + 1);
      const end = at + 1 + length;
      const treatment = length < 4 ? 'fatal' : this.#treat(type, length);
      if (treatment === 'fatal') this.#fail(type, length);
      if (treatment === 'keep') {
        if (end > bytes.length) {
          this.#keep(bytes.subarray(at), 1 + length);
          return;
        }
        this.#sink.frame(type, bytes.subarray(at, end));
        at = end;
        continue;
      }
      const stream = treatment === 'stream';
      if (stream && end <= bytes.length) {
        this.#sink.frame(type, bytes.subarray(at, end));
        at = end;
        continue;
      }
      const here = bytes.subarray(at, Math.min(end, bytes.length));
      if (stream) this.#sink.piece(type, here, true, false);
      else this.#sink.oversized(type, length);
      const left = 1 + length - here.length;
      at += here.length;
      if (left > 0) this.#rest = { type, left, stream };
    }
    if (at < bytes.length) this.#keep(bytes.subarray(at), 5);
  }

  #continue(rest: { type: number; left: number; stream: boolean }, bytes: Buffer): Buffer {
    const here = bytes.subarray(0, Math.min(rest.left, bytes.length));
    rest.left -= here.length;
    if (rest.left === 0) this.#rest = undefined;
    if (rest.stream && here.length > 0) this.#sink.piece(rest.type, here, false, rest.left === 0);
    return bytes.subarray(here.length);
  }

  #keep(bytes: Buffer, need: number): void {
    this.#kept = [Buffer.from(bytes)];
    this.#keptLength = bytes.length;
    this.#need = need;
  }

  #fail(type: number, length: number): never {
    this.#dead = true;
    throw new FramingError(`message of type 0x${type.toString(16).padStart(2, '0')} claims ${length} bytes`);
  }
}
