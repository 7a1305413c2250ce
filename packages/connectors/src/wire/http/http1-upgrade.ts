import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { HttpHeader, HttpOrigin, HttpRequestHead, HttpResponseHead, HttpUpgrade } from './exchange.ts';
import { isHeaderName, isHeaderValue } from './headers.ts';
import { failure } from './http1-exchange.ts';
import type { Signal } from './signal.ts';

export class Http1Upgrade implements HttpUpgrade {
  readonly version: HttpRequestHead['version'];
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly headers: readonly HttpHeader[];
  readonly origin: HttpOrigin;
  readonly gone: Signal;
  /** Resolves when the connection is closed. */
  readonly over: Promise<void>;
  answered = false;
  readonly #stream: Duplex;
  readonly #rest: Buffer;

  constructor(head: HttpRequestHead, origin: HttpOrigin, stream: Duplex, rest: Buffer, gone: Signal) {
    this.version = head.version;
    this.method = head.method;
    this.path = head.path;
    this.authority = head.authority;
    this.headers = head.headers;
    this.origin = origin;
    this.gone = gone;
    this.#stream = stream;
    this.#rest = rest;
    this.over = new Promise((resolve) => {
      if (gone.aborted) resolve();
      else gone.addEventListener('abort', () => resolve());
    });
  }

  accept(headers: readonly HttpHeader[]): Duplex {
    this.#answer();
    if (this.#rest.length > 0) this.#stream.unshift(this.#rest);
    this.#stream.write(headOf(101, [['connection', 'Upgrade'], ['upgrade', 'websocket'], ...headers]));
    return this.#stream;
  }

  async refuse({ status, headers }: HttpResponseHead, body: Uint8Array = new Uint8Array(0)): Promise<void> {
    this.#answer();
    const fields = headers.filter(([name]) => name !== 'content-length' && name !== 'connection');
    const head = headOf(status, [...fields, ['content-length', String(body.length)], ['connection', 'close']]);
    this.#stream.end(Buffer.concat([head, body]));
    this.#stream.resume();
    await this.over;
  }

  async fail(): Promise<void> {
    if (this.answered) this.#stream.destroy();
    else await this.refuse({ status: 500, headers: [['content-type', 'text/plain; charset=utf-8']] }, failure);
  }

  #answer(): void {
    if (this.answered) throw new Error('the upgrade was answered before');
    this.answered = true;
  }
}

/** A whole answer in plain text, for where nothing else can be said. The connection ends behind it. */
export function plainAnswer(status: number, reason: string): Buffer {
  const body = Buffer.from(`${reason}\n`);
  const head = headOf(status, [
    ['content-type', 'text/plain; charset=utf-8'],
    ['content-length', String(body.length)],
    ['connection', 'close'],
  ]);
  return Buffer.concat([head, body]);
}

function headOf(status: number, headers: readonly HttpHeader[]): Buffer {
  const lines = headers.map(([name, value]) => {
    if (!isHeaderName(name) || !isHeaderValue(value)) throw new Error(`the header field ${name} can't be sent`);
    return `${name}: ${value}\r\n`;
  });
  return Buffer.from(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n`, 'latin1');
}
