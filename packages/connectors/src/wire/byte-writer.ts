/** Builds one message; grows as needed, big-endian, reusable after `take`. */
export class ByteWriter {
  #bytes: Buffer;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = Buffer.allocUnsafe(capacity);
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
    this.#length = this.#bytes.writeInt32BE(value, this.#length);
    return this;
  }

  bytes(value: Uint8Array): this {
    this.#room(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
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

  /** A copy of what was written; the writer starts anew. */
  take(): Buffer {
    const taken = Buffer.from(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
    return taken;
  }

  #room(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + more));
    this.#bytes.copy(grown, 0, 0, this.#length);
    this.#bytes = grown;
  }
}
