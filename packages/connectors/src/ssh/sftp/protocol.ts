/**
 * File transfer (SFTP version 3, draft-ietf-secsh-filexfer-02, with OpenSSH's extensions), terminated here: a server to
 * the client, and a client to the target's own subsystem, with one unit between them for everything that touches a file.
 * Every path is resolved at the target first, and what is judged is where it really leads. Nothing is passed on as it
 * came: requests and answers are read, and made anew.
 */
import { SluiceError } from '@sluice/core/domain/error.ts';

/** Draft section 3: types of packets. */
export const type = {
  init: 1,
  version: 2,
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  lstat: 7,
  fstat: 8,
  setstat: 9,
  fsetstat: 10,
  opendir: 11,
  readdir: 12,
  remove: 13,
  mkdir: 14,
  rmdir: 15,
  realpath: 16,
  stat: 17,
  rename: 18,
  readlink: 19,
  symlink: 20,
  status: 101,
  handle: 102,
  data: 103,
  name: 104,
  attrs: 105,
  extended: 200,
  extendedReply: 201,
} as const;

/** Draft section 7: what became of a request. */
export const code = {
  ok: 0,
  eof: 1,
  noSuchFile: 2,
  permissionDenied: 3,
  failure: 4,
  badMessage: 5,
  noConnection: 6,
  connectionLost: 7,
  unsupported: 8,
} as const;

/** Draft section 6.3. */
export const flag = { read: 1, write: 2, append: 4, create: 8, truncate: 16, exclusive: 32 } as const;

/** Longest packet that is read (OpenSSH has the same), and the most of a file that one READ is answered with. */
export const most = { packet: 256 * 1024, read: 128 * 1024, path: 4096, handle: 256 } as const;

export type SftpErrorCode = 'packet' | 'answer' | 'gone';

/** One side does not speak the protocol as it is, or is gone; the file transfer ends. */
export class SftpError extends SluiceError<SftpErrorCode> {}

/** Cuts a stream of bytes into packets (draft section 3), and refuses a length before it keeps anything. */
export class Framer {
  readonly #of: 'client' | 'upstream';
  /** What came of a length. */
  #begun: Buffer = Buffer.alloc(0);
  /** A packet that is not whole yet, and how much of it has come. */
  #packet: Buffer | undefined;
  #filled = 0;

  constructor(of: 'client' | 'upstream') {
    this.#of = of;
  }

  /** Whole packets, without their length; views of the chunk where they are whole in it. */
  push(chunk: Buffer): Buffer[] {
    const packets: Buffer[] = [];
    let rest = this.#fill(chunk, packets);
    if (this.#begun.length > 0) {
      rest = Buffer.concat([this.#begun, rest]);
      this.#begun = Buffer.alloc(0);
    }
    while (rest.length >= 4) {
      const length = rest.readUInt32BE(0);
      if (length < 1 || length > most.packet) {
        throw new SftpError('packet', this.#of, `A packet of ${length} bytes is not part of file transfer.`);
      }
      rest = rest.subarray(4);
      if (rest.length >= length) {
        packets.push(rest.subarray(0, length));
        rest = rest.subarray(length);
      } else {
        this.#packet = Buffer.allocUnsafe(length);
        this.#filled = rest.copy(this.#packet);
        return packets;
      }
    }
    if (rest.length > 0) this.#begun = Buffer.from(rest);
    return packets;
  }

  /** Puts what belongs to the packet that is not whole where it belongs; returns what is behind it. */
  #fill(chunk: Buffer, packets: Buffer[]): Buffer {
    const packet = this.#packet;
    if (!packet) return chunk;
    const taken = chunk.copy(packet, this.#filled);
    this.#filled += taken;
    if (this.#filled === packet.length) {
      packets.push(packet);
      this.#packet = undefined;
    }
    return chunk.subarray(taken);
  }
}
