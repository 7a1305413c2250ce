import { isAscii, isUtf8 } from 'node:buffer';

/** Text that is not UTF-8, in a message that is otherwise whole. */
export class EncodingError extends RangeError {}

/** Reads one message's body, big-endian. Reading past the end or an impossible length throws `RangeError`. */
export class ByteReader {
  readonly #bytes: Buffer;
  #offset: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, start = 0, end = bytes.length) {
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#offset = start;
    this.#end = end;
  }

  get offset(): number {
    return this.#offset;
  }

  get left(): number {
    return this.#end - this.#offset;
  }

  uint8(): number {
    return this.#bytes.readUInt8(this.#advance(1));
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#advance(2));
  }

  uint16(): number {
    return this.#bytes.readUInt16BE(this.#advance(2));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#advance(4));
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#advance(4));
  }

  /** A view, not a copy. */
  bytes(length: number): Buffer {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** Zero-terminated UTF-8; ill-formed sequences throw `EncodingError`. */
  cstring(): string {
    const end = this.#bytes.indexOf(0, this.#offset);
    if (end < 0 || end >= this.#end) throw new RangeError('string without its terminator');
    const start = this.#offset;
    this.#offset = end + 1;
    if (start === end) return '';
    const bytes = this.#bytes.subarray(start, end);
    if (isAscii(bytes)) return bytes.toString('latin1');
    if (isUtf8(bytes)) return bytes.toString('utf8');
    throw new EncodingError('invalid byte sequence for encoding "UTF8"');
  }

  #advance(length: number): number {
    if (length < 0 || length > this.#end - this.#offset) throw new RangeError('message shorter than it says');
    const start = this.#offset;
    this.#offset += length;
    return start;
  }
}
