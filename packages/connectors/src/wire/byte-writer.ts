/** Up to here bytes are copied faster one by one than by a call. */
const smallest = 48;
const nothing = Buffer.alloc(0);

/** A signed number of four bytes, big-endian; the caller knows that they are there. */
export function int32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}

export function putInt32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** Copies a part of an array into another one; returns where it ends there. */
export function copyBytes(from: Uint8Array, start: number, end: number, into: Uint8Array, at: number): number {
  let to = at;
  if (end - start > smallest) {
    into.set(new Uint8Array(from.buffer, from.byteOffset + start, end - start), to);
    return to + end - start;
  }
  for (let index = start; index < end; index++) into[to++] = from[index] as number;
  return to;
}

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
    putInt32(this.#bytes, this.#length, value);
    this.#length += 4;
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
    this.#room(end - start);
    this.#length = copyBytes(source, start, end, this.#bytes, this.#length);
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

  /** Has room for so many bytes more, to be written into `bytesSoFar` behind what there is; `wrote` then says how far. */
  reserve(more: number): Buffer {
    this.#room(more);
    return this.#bytes;
  }

  /** Up to where there is something now, after `reserve`; what lies behind is taken back. */
  wrote(length: number): void {
    this.#length = length;
  }

  /** The buffer behind it, up to the next write: what was written is at its beginning. */
  get bytesSoFar(): Buffer {
    return this.#bytes;
  }

  /** Writes into this larger buffer from now on, with what was written so far at its beginning. */
  adopt(buffer: Buffer): void {
    this.#bytes.copy(buffer, 0, 0, this.#length);
    this.#bytes = buffer;
  }

  /** Bytes that it can take without growing. */
  get left(): number {
    return this.#bytes.length - this.#length;
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
