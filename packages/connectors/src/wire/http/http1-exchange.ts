import type { IncomingMessage, ServerResponse } from 'node:http';
import { boundedBody } from './body.ts';
import type { HttpExchange, HttpHeader, HttpOrigin, HttpReply, HttpRequestHead, HttpResponseHead } from './exchange.ts';
import type { ServeLimits } from './serve-limits.ts';
import { Alarm, type Signal } from './signal.ts';

/** Fields of HTTP/1.1 that belong to the connection, not to the answer. */
const connectionFields = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'trailer',
  'proxy-connection',
]);

export class Http1Exchange implements HttpExchange {
  readonly version: HttpRequestHead['version'];
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly headers: readonly HttpHeader[];
  readonly origin: HttpOrigin;
  readonly hasBody: boolean;
  readonly body: AsyncIterable<Uint8Array>;
  readonly gone: Signal;
  /** Resolves when the answer is complete, or never will be. */
  readonly over: Promise<void>;
  responded = false;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #gone = new Alarm();
  #close: () => void = nothing;

  constructor(
    head: HttpRequestHead,
    origin: HttpOrigin,
    request: IncomingMessage,
    response: ServerResponse,
    limits: ServeLimits,
    expectsContinue: boolean,
  ) {
    this.version = head.version;
    this.method = head.method;
    this.path = head.path;
    this.authority = head.authority;
    this.headers = head.headers;
    this.origin = origin;
    this.#request = request;
    this.#response = response;
    const length = firstValue(head.headers, 'content-length');
    this.hasBody = length !== undefined || firstValue(head.headers, 'transfer-encoding') !== undefined;
    this.body = boundedBody(request, { bytes: limits.bodyBytes, time: limits.bodyTime, announced: length }, () => {
      if (expectsContinue && !this.responded) response.writeContinue();
    });
    // A broken body is told of where it is read.
    request.on('error', nothing);
    response.on('error', nothing);
    this.gone = this.#gone;
    this.over = new Promise((resolve) => {
      this.#close = resolve;
    });
    response.once('close', () => this.cut());
  }

  /** Nothing more reaches the client: the answer is complete, or the connection is closed. */
  cut(): void {
    if (!this.#response.writableFinished) this.#gone.abort();
    this.#close();
  }

  respond(head: HttpResponseHead): HttpReply {
    const reply = this.#begin(head);
    // What follows may take a while.
    if (!this.#response.destroyed) this.#response.flushHeaders();
    return reply;
  }

  #begin({ status, headers }: HttpResponseHead): HttpReply {
    if (this.responded) throw new Error('the exchange was answered before');
    this.responded = true;
    const response = this.#response;
    const fields: string[] = [];
    for (const [name, value] of headers) if (!connectionFields.has(name)) fields.push(name, value);
    // What is left of a body that nobody reads would have to be read to find the next request.
    if (!this.#request.complete) fields.push('connection', 'close');
    if (!response.destroyed) response.writeHead(status, fields);
    return {
      write: (bytes) => this.#write(bytes),
      end: async (bytes) => {
        if (!this.gone.aborted) response.end(bytes?.length ? bytes : undefined);
        await this.over;
      },
      abort: () => void response.destroy(),
    };
  }

  async answer(head: HttpResponseHead, body: Uint8Array = new Uint8Array(0)): Promise<void> {
    const bodiless = head.status === 204 || head.status === 304;
    const length: HttpHeader = ['content-length', String(body.length)];
    const headers = head.headers.filter(([name]) => name !== 'content-length');
    await this.#begin({ status: head.status, headers: bodiless ? headers : [...headers, length] }).end(body);
  }

  /** The gateway failed: says so if it still can. */
  async fail(): Promise<void> {
    if (this.responded) this.#response.destroy();
    else await this.answer({ status: 500, headers: [['content-type', 'text/plain; charset=utf-8']] }, failure);
  }

  #write(bytes: Uint8Array): Promise<void> {
    const response = this.#response;
    if (this.gone.aborted || response.destroyed || response.writableEnded || response.write(bytes)) {
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const on = (): void => {
        response.off('drain', on);
        this.gone.removeEventListener('abort', on);
        resolve();
      };
      response.once('drain', on);
      this.gone.addEventListener('abort', on);
    });
  }
}

function nothing(): void {}

function firstValue(headers: readonly HttpHeader[], wanted: string): string | undefined {
  for (const [name, value] of headers) if (name === wanted) return value;
  return undefined;
}

export const failure = Buffer.from('The gateway failed to answer. Try again; its log says more.\n');
