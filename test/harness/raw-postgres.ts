// A PostgreSQL client that says exactly what a test tells it to, down to the byte, and shows what came back. It is no
// driver: it keeps no state and corrects nothing.

import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface RawMessage {
  /** The type byte as a character. */
  readonly type: string;
  readonly body: Buffer;
}

export class RawPostgres {
  #socket: Socket;
  #bytes: Buffer = Buffer.alloc(0);
  #closed = false;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    this.#listen();
  }

  static open(host: string, port: number): Promise<RawPostgres> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(new RawPostgres(socket));
      });
    });
  }

  /** Connects and logs in with a token; resolves behind the first ReadyForQuery. */
  static async login(at: { host: string; port: number }, token: string, database = 'shop'): Promise<RawPostgres> {
    const client = await RawPostgres.open(at.host, at.port);
    client.send(startup({ user: 'anyone', database }));
    const [request] = await client.until('R');
    if (request?.body.readInt32BE(0) !== 3) throw new Error('no request for a password');
    client.send(message('p', cstring(token)));
    await client.until('Z');
    return client;
  }

  send(...parts: readonly Uint8Array[]): void {
    this.#socket.write(Buffer.concat(parts));
  }

  /** Messages up to and including the first of this type; rejects when the connection ends before. */
  async until(type: string): Promise<RawMessage[]> {
    const seen: RawMessage[] = [];
    for (;;) {
      const next = await this.message();
      if (!next) throw new Error(`closed before ${type}; got ${seen.map(shown).join(' ')}`);
      seen.push(next);
      if (next.type === type) return seen;
    }
  }

  /** The next message, or undefined when the connection has ended. */
  async message(): Promise<RawMessage | undefined> {
    for (;;) {
      if (this.#bytes.length >= 5) {
        const end = 1 + this.#bytes.readInt32BE(1);
        if (this.#bytes.length >= end) {
          const frame = this.#bytes.subarray(0, end);
          this.#bytes = this.#bytes.subarray(end);
          return { type: String.fromCharCode(frame[0] ?? 0), body: Buffer.from(frame.subarray(5)) };
        }
      }
      if (this.#closed) return undefined;
      await this.#more();
    }
  }

  /** One byte outside of any message: the answer to SSLRequest. */
  async byte(): Promise<string | undefined> {
    while (this.#bytes.length === 0) {
      if (this.#closed) return undefined;
      await this.#more();
    }
    const value = String.fromCharCode(this.#bytes[0] ?? 0);
    this.#bytes = this.#bytes.subarray(1);
    return value;
  }

  /** Everything until the connection ends. */
  async rest(): Promise<RawMessage[]> {
    const seen: RawMessage[] = [];
    for (let next = await this.message(); next; next = await this.message()) seen.push(next);
    return seen;
  }

  startTls(options: { readonly alpn?: readonly string[] } = {}): Promise<void> {
    this.#socket.removeAllListeners();
    return new Promise((resolve, reject) => {
      const socket = connectTls({
        socket: this.#socket,
        // The test asks for the bytes behind TLS, not for the name in the certificate.
        rejectUnauthorized: false,
        ...(options.alpn ? { ALPNProtocols: [...options.alpn] } : {}),
      });
      socket.once('error', reject);
      socket.once('secureConnect', () => {
        socket.off('error', reject);
        this.#socket = socket;
        this.#listen();
        resolve();
      });
    });
  }

  end(): void {
    this.#socket.destroy();
  }

  #listen(): void {
    this.#socket.on('data', (chunk) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#wake?.();
    });
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      this.#closed = true;
      this.#wake?.();
    });
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

export function message(type: string, ...parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts);
  return Buffer.concat([Buffer.from(type, 'latin1'), int32(4 + body.length), body]);
}

export function startup(parameters: Readonly<Record<string, string>>, version = 3 << 16): Buffer {
  const pairs = Object.entries(parameters).flatMap(([name, value]) => [cstring(name), cstring(value)]);
  const body = Buffer.concat([int32(version), ...pairs, Buffer.from([0])]);
  return Buffer.concat([int32(4 + body.length), body]);
}

export const sslRequest = Buffer.concat([int32(8), int32(80877103)]);
export const gssRequest = Buffer.concat([int32(8), int32(80877104)]);

export function cancelRequest(pid: number, secret: Buffer): Buffer {
  return Buffer.concat([int32(12 + secret.length), int32(80877102), int32(pid), secret]);
}

export function query(text: string): Buffer {
  return message('Q', cstring(text));
}

export function parse(name: string, text: string): Buffer {
  return message('P', cstring(name), cstring(text), int16(0));
}

export function bind(portal: string, statement: string, values: readonly (string | null)[] = []): Buffer {
  const cells = values.flatMap((value) =>
    value === null ? [int32(-1)] : [int32(Buffer.byteLength(value)), Buffer.from(value)],
  );
  return message('B', cstring(portal), cstring(statement), int16(0), int16(values.length), ...cells, int16(0));
}

export function describe(kind: 'S' | 'P', name: string): Buffer {
  return message('D', Buffer.from(kind), cstring(name));
}

export function execute(portal: string, rows = 0): Buffer {
  return message('E', cstring(portal), int32(rows));
}

export function close(kind: 'S' | 'P', name: string): Buffer {
  return message('C', Buffer.from(kind), cstring(name));
}

export const sync = message('S');
export const flush = message('H');

/** Fields of an ErrorResponse or NoticeResponse. */
export function fieldsOf({ body }: RawMessage): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const field of body.toString('utf8').split('\0')) if (field) fields[field[0] ?? ''] = field.slice(1);
  return fields;
}

/** Text cells of a DataRow. */
export function cellsOf({ body }: RawMessage): (string | null)[] {
  const cells: (string | null)[] = [];
  let at = 2;
  for (let left = body.readInt16BE(0); left > 0; left--) {
    const length = body.readInt32BE(at);
    at += 4;
    cells.push(length < 0 ? null : body.toString('utf8', at, at + length));
    at += Math.max(0, length);
  }
  return cells;
}

/** E.g. `Z:T`, `E:42501`, `C:SELECT 1`. */
export function shown(found: RawMessage): string {
  if (found.type === 'Z') return `Z:${found.body.toString()}`;
  if (found.type === 'E') return `E:${fieldsOf(found)['C']}`;
  if (found.type === 'C') return `C:${found.body.toString('utf8').replace(/\0$/, '')}`;
  return found.type;
}

export function cstring(text: string): Buffer {
  return Buffer.from(`${text}\0`, 'utf8');
}

export function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
