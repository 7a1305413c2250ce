import { Buffer } from 'node:buffer';

/**
 * The data types of SSH (RFC 4251 section 5) in byte strings: public keys, signatures and certificates are made of
 * them. Reading past the end throws `RangeError`; nothing here knows what the fields mean.
 */
export class BlobReader {
  readonly #bytes: Buffer;
  #offset = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get offset(): number {
    return this.#offset;
  }

  get left(): number {
    return this.#bytes.length - this.#offset;
  }

  uint32(): number {
    const at = this.#advance(4);
    return this.#bytes.readUInt32BE(at);
  }

  uint64(): bigint {
    const at = this.#advance(8);
    return this.#bytes.readBigUInt64BE(at);
  }

  /** A view, not a copy. */
  string(): Buffer {
    const length = this.uint32();
    const at = this.#advance(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** UTF-8; anything else throws `RangeError`. */
  text(): string {
    const bytes = this.string();
    const text = bytes.toString('utf8');
    if (!Buffer.from(text, 'utf8').equals(bytes)) throw new RangeError('text that is not UTF-8');
    return text;
  }

  /** Throws when anything is left over. */
  end(): void {
    if (this.left > 0) throw new RangeError(`${this.left} bytes too many`);
  }

  #advance(length: number): number {
    const at = this.#offset;
    if (length > this.#bytes.length - at) throw new RangeError('ends too early');
    this.#offset = at + length;
    return at;
  }
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

export function string(value: Uint8Array | string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint32(bytes.length), bytes]);
}
