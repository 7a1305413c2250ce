/** Up to here bytes are copied faster one by one than by a call. */
const smallest = 64;
const nothing = Buffer.alloc(0);

/** Builds one message; grows as needed, big-endian, reusable after `take`. */
export class ByteWriter {
  /** Made with the first write: what writes for a connection that idles holds nothing. */
  #bytes: Buffer = nothing;
  #capacity: number;
  #length = 0;

  constructor(capacity = 256) {
    this.#capacity = capacity;
  }

  get length(): number {
    return this.#length;
  }

  uint8(value: number): this {
    this.#room(1);
    this.#length = this.#bytes.writeUInt8(value, this.#length);
    return this;
  }

  int16(value: number): this {
    this.#room(2);
    this.#length = this.#bytes.writeInt16BE(value, this.#length);
    return this;
  }

  int32(value: number): this {
    this.#room(4);
    const bytes = this.#bytes;
    const at = this.#length;
    bytes[at] = value >>> 24;
    bytes[at + 1] = value >>> 16;
    bytes[at + 2] = value >>> 8;
    bytes[at + 3] = value;
    this.#length = at + 4;
    return this;
  }

  bytes(value: Uint8Array): this {
    this.#room(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  /** A part of an array, without a view made of it first. */
  copy(source: Uint8Array, start: number, end: number): this {
    const length = end - start;
    this.#room(length);
    if (length > smallest) {
      this.#bytes.set(source.subarray(start, end), this.#length);
    } else {
      const bytes = this.#bytes;
      for (let from = start, to = this.#length; from < end; from++, to++) bytes[to] = source[from] as number;
    }
    this.#length += length;
    return this;
  }

  text(value: string): this {
    return this.bytes(Buffer.from(value, 'utf8'));
  }

  /** Zero-terminated; a NUL inside is dropped, because it would end the string early for the reader. */
  cstring(value: string): this {
    return this.text(value.replaceAll('\0', '')).uint8(0);
  }

  /** Overwrites four bytes at `offset`, e.g. a length that was not known before. */
  patchInt32(offset: number, value: number): this {
    this.#bytes.writeInt32BE(value, offset);
    return this;
  }

  /** The buffer behind it, up to the next write: what was written is at its beginning. */
  get bytesSoFar(): Buffer {
    return this.#bytes;
  }

  /** Takes back what was written behind `length`. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** What was written, without copying it; the writer starts anew in another buffer. */
  release(capacity: number): Buffer {
    const written = this.#bytes.subarray(0, this.#length);
    this.#bytes = nothing;
    this.#capacity = capacity;
    this.#length = 0;
    return written;
  }

  /** A copy of what was written; the writer starts anew. */
  take(): Buffer {
    const taken = Buffer.from(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
    return taken;
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#capacity, this.#bytes.length * 2, this.#length + more));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}
