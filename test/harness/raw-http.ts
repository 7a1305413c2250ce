// HTTP by hand, for tests that send what no client would.
import { connect, type Socket } from 'node:net';
import type { AnyGateway } from './any-gateway.ts';

/** All that comes back until the connection is closed, one character for each byte. */
export async function rawHttp(gateway: AnyGateway, ...parts: readonly (string | Uint8Array)[]): Promise<string> {
  const socket = openHttp(gateway);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.write(Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part))));
  await new Promise((resolve) => socket.once('close', resolve));
  return Buffer.concat(chunks).toString('latin1');
}

export function openHttp(gateway: AnyGateway): Socket {
  const { host, port } = gateway.at('http');
  const socket = connect({ host, port });
  socket.on('error', () => {});
  return socket;
}

export interface AskedRaw {
  readonly method?: string;
  readonly path: string;
  /** Name of the target; `crm` if absent. */
  readonly target?: string;
  readonly token: string;
  /** Lines. */
  readonly headers?: readonly string[];
  readonly body?: string | Uint8Array;
}

export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** All of it. */
  readonly text: string;
}

/** One request of HTTP/1.1 to a target, on a connection of its own; with a body, its length is sent. */
export async function askRaw(gateway: AnyGateway, asked: AskedRaw): Promise<RawAnswer> {
  const { method = 'GET', path, target = 'crm', token, headers = [], body } = asked;
  const bytes = body === undefined ? undefined : Buffer.from(body as string);
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `host: ${target}`,
    `authorization: Bearer ${token}`,
    'connection: close',
    ...headers,
    ...(bytes ? [`content-length: ${bytes.length}`] : []),
  ];
  return answerOf(await rawHttp(gateway, `${lines.join('\r\n')}\r\n\r\n`, bytes ?? ''));
}

/** An answer whose body is as long as it says, or ends with the connection; chunks are left as they are. */
export function answerOf(text: string): RawAnswer {
  const at = text.indexOf('\r\n\r\n');
  const [line = '', ...fields] = text.slice(0, Math.max(at, 0)).split('\r\n');
  const headers = fields.map((field) => {
    const colon = field.indexOf(':');
    return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()] as const;
  });
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(line)?.[1]),
    headers: Object.fromEntries(headers),
    body: text.slice(at + 4),
    text,
  };
}
