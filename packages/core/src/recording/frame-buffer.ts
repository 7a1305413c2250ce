import type { Digests } from '../contract/crypto.ts';
import { CoreError } from '../domain/error.ts';
import { crc32c } from './crc32c.ts';
import {
  crcBytes,
  flagDeflated,
  flagsAt,
  frameOverhead,
  lengthBase,
  magic,
  maxPayload,
  maxTime,
  payloadAt,
  previousAt,
  timeAt,
  typeAt,
} from './format.ts';
import type { Deflater } from './ports.ts';

/** A place in the chain. */
export interface ChainMark {
  readonly head: Uint8Array;
  readonly count: number;
  readonly time: number;
}

const initialSize = 4 * 1024;
const worthDeflating = 4 * 1024;
/** Characters. */
const longestCopied = 512;
const encoder = new TextEncoder();

/**
 * Frames that were appended and not yet written, in one buffer that is used again and again: a busy session appends
 * tens of thousands of events a second, so an event costs no object beyond its JSON text and its hash.
 */
export class FrameBuffer {
  readonly #digests: Digests;
  readonly #deflater: Deflater;
  #bytes = new Uint8Array(initialSize);
  #view = new DataView(this.#bytes.buffer);
  #used = 0;
  readonly #head: Uint8Array;
  #count = 0;
  #time = 0;

  /** `from` continues a chain that is already on disk; without it the buffer begins with the magic. */
  constructor(digests: Digests, deflater: Deflater, from?: ChainMark) {
    this.#digests = digests;
    this.#deflater = deflater;
    if (from) {
      this.#head = new Uint8Array(from.head);
      this.#count = from.count;
      this.#time = from.time;
    } else {
      this.#head = new Uint8Array(digests.sha256(magic));
      this.#bytes.set(magic);
      this.#used = magic.length;
    }
  }

  get used(): number {
    return this.#used;
  }

  /** Events so far, written or not. */
  get count(): number {
    return this.#count;
  }

  /** Time of the last event. */
  get time(): number {
    return this.#time;
  }

  /** Identity of the chain up to here; a copy. */
  get head(): Uint8Array {
    return new Uint8Array(this.#head);
  }

  mark(): ChainMark {
    return { head: this.head, count: this.#count, time: this.#time };
  }

  /** What is waiting; valid until the next append. */
  waiting(): Uint8Array {
    return this.#bytes.subarray(0, this.#used);
  }

  clear(): void {
    this.#used = 0;
  }

  /** Drops what is waiting and goes back to an earlier place in the chain. */
  rewind(mark: ChainMark): void {
    this.#used = 0;
    this.#head.set(mark.head);
    this.#count = mark.count;
    this.#time = mark.time;
  }

  /** Gives memory back while a session idles. */
  trim(): void {
    if (this.#used === 0 && this.#bytes.length > 0) this.#resize(0);
  }

  /** Returns the event's number. */
  text(type: number, time: number, body: string): number {
    if (body.length >= worthDeflating) return this.binary(type, time, encoder.encode(body));
    // A UTF-16 code unit takes three bytes of UTF-8 at most.
    this.#room(frameOverhead + body.length * 3);
    const start = this.#used;
    const { written } = encoder.encodeInto(body, this.#bytes.subarray(start + payloadAt));
    return this.#seal(start, type, 0, time, written);
  }

  /** As `text`, of which the end is already in UTF-8: what is said again and again is encoded once. */
  words(type: number, time: number, head: string, tail: Uint8Array): number {
    if (head.length + tail.length >= worthDeflating) return this.#long(type, time, head, tail);
    this.#room(frameOverhead + head.length * 3 + tail.length);
    const start = this.#used;
    const begin = start + payloadAt;
    const length = this.#ascii(head, begin) ?? encoder.encodeInto(head, this.#bytes.subarray(begin)).written;
    this.#bytes.set(tail, begin + length);
    return this.#seal(start, type, 0, time, length + tail.length);
  }

  #long(type: number, time: number, head: string, tail: Uint8Array): number {
    const begin = encoder.encode(head);
    const whole = new Uint8Array(begin.length + tail.length);
    whole.set(begin);
    whole.set(tail, begin.length);
    return this.binary(type, time, whole);
  }

  /** Character by character, which is quicker for a short text; undefined when it is long or not of ASCII. */
  #ascii(text: string, begin: number): number | undefined {
    if (text.length > longestCopied) return undefined;
    const bytes = this.#bytes;
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code > 0x7f) return undefined;
      bytes[begin + index] = code;
    }
    return text.length;
  }

  /** `plain` keeps the payload as it is, whatever its size. */
  binary(type: number, time: number, payload: Uint8Array, plain = false): number {
    if (payload.length > maxPayload) throw tooLarge(payload.length);
    const deflated = plain || payload.length < worthDeflating ? undefined : this.#deflater.deflate(payload);
    if (deflated && deflated.length + 4 < payload.length) {
      this.#room(frameOverhead + 4 + deflated.length);
      this.#view.setUint32(this.#used + payloadAt, payload.length);
      this.#bytes.set(deflated, this.#used + payloadAt + 4);
      return this.#seal(this.#used, type, flagDeflated, time, deflated.length + 4);
    }
    this.#room(frameOverhead + payload.length);
    this.#bytes.set(payload, this.#used + payloadAt);
    return this.#seal(this.#used, type, 0, time, payload.length);
  }

  #seal(start: number, type: number, flags: number, time: number, payload: number): number {
    const bytes = this.#bytes;
    const view = this.#view;
    // The wall clock may jump; time inside a recording never runs backwards.
    const at = time > this.#time ? Math.min(Math.trunc(time), maxTime) : this.#time;
    view.setUint32(start, lengthBase + payload);
    bytes[start + typeAt] = type;
    bytes[start + flagsAt] = flags;
    view.setUint16(start + timeAt, Math.floor(at / 2 ** 32));
    view.setUint32(start + timeAt + 2, at % 2 ** 32);
    bytes.set(this.#head, start + previousAt);
    const end = start + payloadAt + payload;
    view.setUint32(end, crc32c(bytes, start, end));
    this.#digests.sha256Into(this.#head, bytes.subarray(start, end));
    this.#time = at;
    this.#used = end + crcBytes;
    return this.#count++;
  }

  #room(size: number): void {
    const needed = this.#used + size;
    if (needed > this.#bytes.length)
      this.#resize(Math.max(needed, initialSize, Math.min(this.#bytes.length * 2, needed + 65536)));
  }

  #resize(size: number): void {
    const next = new Uint8Array(size);
    next.set(this.#bytes.subarray(0, this.#used));
    this.#bytes = next;
    this.#view = new DataView(next.buffer);
  }
}

function tooLarge(size: number): CoreError {
  return new CoreError('recording_failed', 'gateway', 'The session cannot be recorded: one event is too large.', {
    detail: `an event of ${size} bytes exceeds the ${maxPayload} a recording can hold`,
  });
}
