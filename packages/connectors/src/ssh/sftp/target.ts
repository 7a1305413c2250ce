import { type Attributes, Fields, FieldsWriter } from './fields.ts';
import { code, Framer, most, SftpError, type } from './protocol.ts';

/** The channel to the target's file transfer, as a stream. */
export interface TargetStream {
  write(bytes: Buffer): boolean;
  end(): void;
  on(event: 'data', listener: (bytes: Buffer) => void): unknown;
  on(event: 'drain' | 'close' | 'end', listener: () => void): unknown;
}

export interface Entry {
  readonly name: Buffer;
  readonly long: Buffer;
  readonly attributes: Attributes;
}

export type Answer =
  | { readonly kind: 'status'; readonly code: number }
  | { readonly kind: 'handle'; readonly handle: Buffer }
  | { readonly kind: 'data'; readonly data: Buffer }
  | { readonly kind: 'names'; readonly entries: readonly Entry[] }
  | { readonly kind: 'attributes'; readonly attributes: Attributes }
  | { readonly kind: 'extended'; readonly data: Buffer };

interface Waiting {
  resolve(answer: Answer): void;
  reject(error: Error): void;
}

/** The gateway as a client of the target's file transfer: numbers of its own, and one answer to each. */
export class SftpTarget {
  readonly #stream: TargetStream;
  readonly #framer = new Framer('upstream');
  readonly #waiting = new Map<number, Waiting>();
  #next = 0;
  #started: { resolve: (extensions: ReadonlyMap<string, string>) => void; reject: (error: Error) => void } | undefined;
  #gone: Error | undefined;
  #onDrain: () => void = () => {};
  #full = false;

  constructor(stream: TargetStream) {
    this.#stream = stream;
    stream.on('data', (bytes) => this.#data(bytes));
    stream.on('drain', () => {
      this.#full = false;
      this.#onDrain();
    });
    stream.on('end', () => this.#lose());
    stream.on('close', () => this.#lose());
  }

  /** Whether the target takes more at once; `onDrain` tells when it does again. */
  get full(): boolean {
    return this.#full;
  }

  onDrain(callback: () => void): void {
    this.#onDrain = callback;
  }

  /** Draft section 4: the version is agreed upon, once. Resolves with what the target adds to it. */
  start(): Promise<ReadonlyMap<string, string>> {
    return new Promise((resolve, reject) => {
      if (this.#gone) {
        reject(this.#gone);
        return;
      }
      this.#started = { resolve, reject };
      this.#stream.write(new FieldsWriter().uint8(type.init).uint32(3).packet());
    });
  }

  /** Sends a request: its type, and its fields behind the number. */
  ask(kind: number, fields: Uint8Array): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#gone) {
        reject(this.#gone);
        return;
      }
      const id = this.#next;
      this.#next = (this.#next + 1) >>> 0;
      this.#waiting.set(id, { resolve, reject });
      const head = Buffer.alloc(9);
      head.writeUInt32BE(5 + fields.length, 0);
      head.writeUInt8(kind, 4);
      head.writeUInt32BE(id, 5);
      if (!this.#stream.write(Buffer.concat([head, fields]))) this.#full = true;
    });
  }

  end(): void {
    this.#stream.end();
    this.#lose();
  }

  #data(bytes: Buffer): void {
    if (this.#gone) return;
    try {
      for (const packet of this.#framer.push(bytes)) this.#packet(packet);
    } catch (error) {
      this.#lose(error instanceof Error ? error : new Error(String(error)));
      this.#stream.end();
    }
  }

  #packet(packet: Buffer): void {
    const fields = new Fields(packet, 'upstream');
    const kind = fields.uint8();
    if (this.#started) {
      const { resolve } = this.#started;
      this.#started = undefined;
      resolve(version(kind, fields));
      return;
    }
    const id = fields.uint32();
    const waiting = this.#waiting.get(id);
    if (!waiting) throw new SftpError('answer', 'upstream', 'The target answered what it was not asked.');
    const answer = read(kind, fields);
    this.#waiting.delete(id);
    waiting.resolve(answer);
  }

  #lose(cause?: Error): void {
    if (this.#gone) return;
    const error =
      cause ?? new SftpError('gone', 'upstream', 'The target ended the file transfer. Look at its log for why.');
    this.#gone = error;
    this.#started?.reject(error);
    this.#started = undefined;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    this.#onDrain();
  }
}

function version(kind: number, fields: Fields): ReadonlyMap<string, string> {
  if (kind !== type.version || fields.uint32() < 3) {
    throw new SftpError('answer', 'upstream', 'The target has no file transfer of version 3.');
  }
  const found = new Map<string, string>();
  while (fields.left > 0) {
    const name = fields.bytes(most.path).toString('latin1');
    found.set(name, fields.bytes(most.path).toString('latin1'));
  }
  return found;
}

function read(kind: number, fields: Fields): Answer {
  switch (kind) {
    case type.status:
      return { kind: 'status', code: fields.uint32() };
    case type.handle:
      return { kind: 'handle', handle: fields.bytes(most.handle) };
    case type.data:
      return { kind: 'data', data: fields.bytes(most.packet) };
    case type.attrs:
      return { kind: 'attributes', attributes: fields.attributes() };
    case type.extendedReply:
      return { kind: 'extended', data: fields.rest() };
    case type.name: {
      const entries: Entry[] = [];
      for (let left = fields.uint32(); left > 0; left--) {
        entries.push({
          name: fields.bytes(most.path),
          long: fields.bytes(most.path * 2),
          attributes: fields.attributes(),
        });
      }
      return { kind: 'names', entries };
    }
    default:
      throw new SftpError('answer', 'upstream', `The target answered with a packet of type ${kind}.`);
  }
}

export function isMissing(answer: Answer): boolean {
  return answer.kind === 'status' && answer.code === code.noSuchFile;
}
