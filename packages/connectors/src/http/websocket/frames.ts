import { HttpError } from '../../wire/http/http-error.ts';

/** What comes over a WebSocket (RFC 6455), with fragments put together. */
export type Message =
  | { readonly kind: 'text' | 'binary' | 'ping' | 'pong'; readonly data: Buffer }
  | { readonly kind: 'close'; readonly code: number; readonly reason: string };

const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** RFC 6455 section 7.4.1, those that may be sent, and those for applications. */
function isCloseCode(code: number): boolean {
  return (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999);
}

/** Fragments of one message. */
const mostParts = 4_096;

/**
 * Frames to messages; incremental, and dead after its first error. `from`: whose frames these are: a client's are
 * masked, a server's are not (section 5.1). Throws `HttpError` `bad_request` or `bad_response`, and
 * `body_too_large` or `response_too_large` for a message beyond `most` bytes.
 */
export class MessageReader {
  readonly #from: 'client' | 'target';
  readonly #most: number;
  #bytes: Buffer = Buffer.alloc(0);
  #kind: 'text' | 'binary' | undefined;
  #parts: Buffer[] = [];
  #size = 0;

  constructor(from: 'client' | 'target', most: number) {
    this.#from = from;
    this.#most = most;
  }

  push(bytes: Uint8Array): Message[] {
    this.#bytes = this.#bytes.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#bytes, bytes]);
    const messages: Message[] = [];
    for (;;) {
      const frame = this.#frame();
      if (!frame) return messages;
      const message = this.#message(frame);
      if (message) messages.push(message);
    }
  }

  /** Section 5.2. */
  #frame(): { readonly fin: boolean; readonly opcode: number; readonly data: Buffer } | undefined {
    const bytes = this.#bytes;
    const [first, second] = bytes;
    if (first === undefined) return undefined;
    if ((first & 0x70) !== 0) this.#fail('a reserved bit is set');
    const opcode = first & 0x0f;
    const fin = (first & 0x80) !== 0;
    const control = opcode >= 8;
    if (!Object.values<number>(opcodes).includes(opcode)) this.#fail('an unknown opcode');
    if (second === undefined) return undefined;
    const masked = (second & 0x80) !== 0;
    if (masked !== (this.#from === 'client')) this.#fail('a frame that is masked where it must not be, or the reverse');
    let length = second & 0x7f;
    if (control && (length > 125 || !fin)) this.#fail('a control frame that is too long, or in parts');
    let at = 2;
    if (length === 126) {
      if (bytes.length < 4) return undefined;
      length = bytes.readUInt16BE(2);
      at = 4;
      if (length < 126) this.#fail('a length that is written in more bytes than it takes');
    } else if (length === 127) {
      if (bytes.length < 10) return undefined;
      const long = bytes.readBigUInt64BE(2);
      if (long < 65_536n) this.#fail('a length that is written in more bytes than it takes');
      if (long > BigInt(this.#most)) this.#tooLarge();
      length = Number(long);
      at = 10;
    }
    if (!control && this.#size + length > this.#most) this.#tooLarge();
    const keyAt = at;
    if (masked) at += 4;
    if (bytes.length < at + length) return undefined;
    const data = Buffer.from(bytes.subarray(at, at + length));
    if (masked) {
      const key = bytes.subarray(keyAt, keyAt + 4);
      for (let i = 0; i < data.length; i++) data[i] = (data[i] ?? 0) ^ (key[i & 3] ?? 0);
    }
    this.#bytes = bytes.subarray(at + length);
    return { fin, opcode, data };
  }

  #message({ fin, opcode, data }: { fin: boolean; opcode: number; data: Buffer }): Message | undefined {
    if (opcode === opcodes.ping) return { kind: 'ping', data };
    if (opcode === opcodes.pong) return { kind: 'pong', data };
    if (opcode === opcodes.close) return this.#close(data);
    if (opcode === opcodes.continuation) {
      if (this.#kind === undefined) this.#fail('a continuation of nothing');
    } else {
      if (this.#kind !== undefined) this.#fail('a message within another');
      this.#kind = opcode === opcodes.text ? 'text' : 'binary';
    }
    this.#parts.push(data);
    this.#size += data.length;
    // Empty ones have no size, and would be kept without end.
    if (this.#parts.length > mostParts) this.#tooLarge();
    if (!fin) return undefined;
    const whole = Buffer.concat(this.#parts);
    const kind = this.#kind ?? 'binary';
    this.#kind = undefined;
    this.#parts = [];
    this.#size = 0;
    if (kind === 'text') this.#checkText(whole);
    return { kind, data: whole };
  }

  #close(data: Buffer): Message {
    if (data.length === 0) return { kind: 'close', code: 1005, reason: '' };
    if (data.length === 1) this.#fail('a close frame of one byte');
    const code = data.readUInt16BE(0);
    if (!isCloseCode(code)) this.#fail('an impossible close code');
    return { kind: 'close', code, reason: this.#checkText(data.subarray(2)) };
  }

  #checkText(data: Buffer): string {
    try {
      return utf8.decode(data);
    } catch {
      return this.#fail('a text that is no UTF-8');
    }
  }

  #fail(detail: string): never {
    const code = this.#from === 'client' ? 'bad_request' : 'bad_response';
    throw new HttpError(code, 'What came over the WebSocket is not its protocol.', { detail });
  }

  #tooLarge(): never {
    const code = this.#from === 'client' ? 'body_too_large' : 'response_too_large';
    throw new HttpError(code, `A message of a WebSocket has at most ${this.#most} bytes, in ${mostParts} parts.`);
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** One whole message as a frame; with `key` (4 random bytes) as a client sends it. */
export function writeFrame(kind: keyof typeof opcodes, data: Uint8Array, key?: Uint8Array): Buffer {
  const { length } = data;
  const long = length >= 65_536 ? 8 : length >= 126 ? 2 : 0;
  const head = Buffer.alloc(2 + long);
  head[0] = 0x80 | opcodes[kind];
  head[1] = (key ? 0x80 : 0) | (long === 8 ? 127 : long === 2 ? 126 : length);
  if (long === 8) head.writeBigUInt64BE(BigInt(length), 2);
  if (long === 2) head.writeUInt16BE(length, 2);
  if (!key) return Buffer.concat([head, data]);
  const masked = Buffer.from(data);
  for (let i = 0; i < masked.length; i++) masked[i] = (masked[i] ?? 0) ^ (key[i & 3] ?? 0);
  return Buffer.concat([head, key, masked]);
}

export function closeFrame(code: number, reason: string, key?: Uint8Array): Buffer {
  if (code === 1005) return writeFrame('close', new Uint8Array(0), key);
  const text = Buffer.from(reason).subarray(0, 120);
  const data = Buffer.alloc(2 + text.length);
  data.writeUInt16BE(code, 0);
  text.copy(data, 2);
  // Cut between characters only.
  while (data.length > 2 && !isUtf8(data.subarray(2))) return closeFrame(code, reason.slice(0, reason.length - 1), key);
  return writeFrame('close', data, key);
}

function isUtf8(data: Buffer): boolean {
  return Buffer.from(data.toString('utf8')).equals(data);
}
