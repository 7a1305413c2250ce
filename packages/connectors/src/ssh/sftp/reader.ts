import type { Session } from '@sluice/core/contract/session.ts';
import { lastBytes } from '../transport/last-bytes.ts';
import { FieldsWriter } from './fields.ts';
import { look } from './look.ts';
import { code, type } from './protocol.ts';
import type { SftpTarget } from './target.ts';

/**
 * How much before and behind what is asked for is looked at, too, in bytes: a value that must not be shown may begin
 * or end outside. Files can be read in any pieces and in any order, a byte at a time.
 */
const around = { before: 8192, behind: 2048 } as const;

export type Part =
  | { readonly kind: 'data'; readonly data: Buffer }
  | { readonly kind: 'status'; readonly code: number }
  /** Something in it, or close by, must not be shown. */
  | { readonly kind: 'hidden'; readonly labels: readonly string[] };

/**
 * The content of one open file, on its way to the client. A file arrives whole or not at all: nothing in it is replaced,
 * since that would change its length and break what is no text; where something in it would have to be masked, reading
 * ends.
 */
export class FileReader {
  readonly #session: Session;
  readonly #target: SftpTarget;
  readonly #handle: Buffer;
  /** The end of what was read last, and where that ended. */
  #tail: { readonly end: bigint; readonly bytes: Buffer } = { end: 0n, bytes: Buffer.alloc(0) };
  #turn: Promise<unknown> = Promise.resolve();
  #hidden: readonly string[] | undefined;

  constructor(session: Session, target: SftpTarget, handle: Buffer) {
    this.#session = session;
    this.#target = target;
    this.#handle = handle;
  }

  /** Asked at once, so that reads overlap; looked at one after the other. */
  read(offset: bigint, length: number): Promise<Part> {
    const fetched = this.#fetch(offset, length + around.behind);
    // It is waited for below, in its turn; until then nobody listens.
    fetched.catch(() => undefined);
    const part = this.#turn.then(() => this.#check(offset, length, fetched));
    this.#turn = part.catch(() => undefined);
    return part;
  }

  async #check(offset: bigint, length: number, fetched: Promise<Fetched>): Promise<Part> {
    const { bytes, status } = await fetched;
    if (this.#hidden) return { kind: 'hidden', labels: this.#hidden };
    if (bytes.length === 0) return { kind: 'status', code: status ?? code.eof };
    const before = await this.#before(offset);
    const looked = look(this.#session, joined(before, bytes));
    if (looked.hidden) {
      this.#hidden = this.#session.hides(looked.labels);
      return { kind: 'hidden', labels: this.#hidden };
    }
    this.#session.sawLabels(looked.labels);
    const data = bytes.subarray(0, length);
    this.#tail = {
      end: offset + BigInt(data.length),
      bytes: lastBytes(before, data, around.before),
    };
    return { kind: 'data', data };
  }

  async #before(offset: bigint): Promise<Buffer> {
    if (offset === this.#tail.end) return this.#tail.bytes;
    const start = offset > BigInt(around.before) ? offset - BigInt(around.before) : 0n;
    const { bytes } = await this.#fetch(start, Number(offset - start));
    return bytes;
  }

  /** Until there is enough of it or nothing more; the target may answer with less than it was asked for. */
  async #fetch(offset: bigint, length: number): Promise<Fetched> {
    const parts: Buffer[] = [];
    let got = 0;
    while (got < length) {
      const fields = new FieldsWriter()
        .bytes(this.#handle)
        .uint64(offset + BigInt(got))
        .uint32(length - got);
      const answer = await this.#target.ask(type.read, fields.take());
      if (answer.kind !== 'data') {
        const status = answer.kind === 'status' ? answer.code : code.failure;
        return { bytes: whole(parts), ...(status === code.eof ? {} : { status }) };
      }
      if (answer.data.length === 0 || answer.data.length > length - got) break;
      parts.push(answer.data);
      got += answer.data.length;
    }
    return { bytes: whole(parts) };
  }
}

function whole(parts: readonly Buffer[]): Buffer {
  const [first] = parts;
  return first && parts.length === 1 ? first : Buffer.concat(parts);
}

let room = Buffer.allocUnsafeSlow(0);

/** Both in one place, which the next call uses again: to be looked at before anything else happens. */
function joined(before: Buffer, bytes: Buffer): Buffer {
  const length = before.length + bytes.length;
  if (room.length < length) room = Buffer.allocUnsafeSlow(length);
  before.copy(room);
  bytes.copy(room, before.length);
  return room.subarray(0, length);
}

interface Fetched {
  readonly bytes: Buffer;
  readonly status?: number;
}
