import { ByteReader } from '../../wire/byte-reader.ts';
import { ByteWriter } from '../../wire/byte-writer.ts';
import { most, SftpError } from './protocol.ts';

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Size, owner, mode and times of a file (draft section 5); absent is unchanged, or unknown. */
export interface Attributes {
  readonly size?: bigint;
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** As `st_mode`: the kind of file in the upper bits. */
  readonly mode?: number;
  readonly times?: { readonly accessed: number; readonly modified: number };
}

const has = { size: 1, owner: 2, mode: 4, times: 8, extended: 0x8000_0000 } as const;

/** Reads the fields of one packet; what is too short, too long or no text throws. */
export class Fields {
  readonly #reader: ByteReader;
  readonly #of: 'client' | 'upstream';

  constructor(packet: Buffer, of: 'client' | 'upstream') {
    this.#reader = new ByteReader(packet);
    this.#of = of;
  }

  uint8(): number {
    return this.#read(() => this.#reader.uint8());
  }

  uint32(): number {
    return this.#read(() => this.#reader.uint32());
  }

  uint64(): bigint {
    return (BigInt(this.uint32()) << 32n) | BigInt(this.uint32());
  }

  bytes(longest: number): Buffer {
    const length = this.uint32();
    if (length > longest) this.#wrong('a string is too long');
    return this.#read(() => this.#reader.bytes(length));
  }

  /** A name that people and policies can read: UTF-8, and no NUL, at which the target would end it. */
  text(longest: number = most.path): string {
    const bytes = this.bytes(longest);
    try {
      const text = strictUtf8.decode(bytes);
      if (!text.includes('\0')) return text;
    } catch {
      // Said below, as for the other.
    }
    return this.#wrong('a name is not UTF-8');
  }

  attributes(): Attributes {
    const flags = this.uint32();
    const size = flags & has.size ? { size: this.uint64() } : {};
    const owner = flags & has.owner ? { owner: { uid: this.uint32(), gid: this.uint32() } } : {};
    const mode = flags & has.mode ? { mode: this.uint32() } : {};
    const times = flags & has.times ? { times: { accessed: this.uint32(), modified: this.uint32() } } : {};
    if ((flags & ~(has.size | has.owner | has.mode | has.times | has.extended)) !== 0)
      this.#wrong('unknown attributes');
    if (flags & has.extended) {
      // What a target adds is dropped; what a client wants to set has a meaning that nobody here knows.
      if (this.#of === 'client') this.#wrong('unknown attributes');
      for (let left = this.uint32(); left > 0; left--) {
        this.bytes(most.path);
        this.bytes(most.path);
      }
    }
    return { ...size, ...owner, ...mode, ...times };
  }

  get left(): number {
    return this.#reader.left;
  }

  rest(): Buffer {
    return this.#reader.bytes(this.#reader.left);
  }

  end(): void {
    if (this.left > 0) this.#wrong('something is behind its end');
  }

  #read<T>(read: () => T): T {
    try {
      return read();
    } catch (cause) {
      throw new SftpError('packet', this.#of, 'A packet of the file transfer is cut short.', { cause });
    }
  }

  #wrong(why: string): never {
    throw new SftpError('packet', this.#of, `A packet of the file transfer can't be read: ${why}.`);
  }
}

/** Bytes before the fields, for the length of the packet. */
const head = 4;

/** Builds one packet's fields, once. */
export class FieldsWriter {
  readonly #writer: ByteWriter;

  /** `capacity`: bytes that the fields are expected to take. */
  constructor(capacity = 124) {
    this.#writer = new ByteWriter(head + capacity).int32(0);
  }

  uint8(value: number): this {
    this.#writer.uint8(value);
    return this;
  }

  uint32(value: number): this {
    this.#writer.int32(value | 0);
    return this;
  }

  uint64(value: bigint): this {
    return this.uint32(Number((value >> 32n) & 0xffff_ffffn)).uint32(Number(value & 0xffff_ffffn));
  }

  bytes(value: Uint8Array): this {
    this.uint32(value.length);
    this.#writer.bytes(value);
    return this;
  }

  text(value: string): this {
    return this.bytes(Buffer.from(value));
  }

  attributes({ size, owner, mode, times }: Attributes): this {
    this.uint32(
      (size === undefined ? 0 : has.size) |
        (owner ? has.owner : 0) |
        (mode === undefined ? 0 : has.mode) |
        (times ? has.times : 0),
    );
    if (size !== undefined) this.uint64(size);
    if (owner) this.uint32(owner.uid).uint32(owner.gid);
    if (mode !== undefined) this.uint32(mode);
    if (times) this.uint32(times.accessed).uint32(times.modified);
    return this;
  }

  /** With its length in front, as it goes on the wire. */
  packet(): Buffer {
    this.#writer.patchInt32(0, this.#writer.length - head);
    return this.#writer.release(0);
  }

  /** The fields alone. */
  take(): Buffer {
    return this.#writer.release(0).subarray(head);
  }
}
