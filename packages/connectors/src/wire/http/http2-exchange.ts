import { constants, type ServerHttp2Stream } from 'node:http2';
import { boundedBody } from './body.ts';
import type { HttpExchange, HttpHeader, HttpOrigin, HttpReply, HttpRequestHead, HttpResponseHead } from './exchange.ts';
import { soleHeader } from './headers.ts';
import { failure } from './http1-exchange.ts';
import type { ServeLimits } from './serve-limits.ts';
import { Alarm, type Signal } from './signal.ts';

/** RFC 9113 section 8.2.2. */
const connectionFields = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
  'trailer',
]);

export class Http2Exchange implements HttpExchange {
  readonly version: HttpRequestHead['version'];
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly headers: readonly HttpHeader[];
  readonly origin: HttpOrigin;
  readonly hasBody: boolean;
  readonly body: AsyncIterable<Uint8Array>;
  readonly gone: Signal;
  /** Resolves when the stream is closed. */
  readonly over: Promise<void>;
  responded = false;
  readonly #stream: ServerHttp2Stream;

  constructor(
    head: HttpRequestHead,
    origin: HttpOrigin,
    stream: ServerHttp2Stream,
    hasBody: boolean,
    limits: ServeLimits,
  ) {
    this.version = head.version;
    this.method = head.method;
    this.path = head.path;
    this.authority = head.authority;
    this.headers = head.headers;
    this.origin = origin;
    this.hasBody = hasBody;
    this.#stream = stream;
    const expectsContinue = head.headers.some(([name, value]) => name === 'expect' && /^100-continue$/i.test(value));
    const announced = soleHeader(head.headers, 'content-length');
    this.body = boundedBody(stream, { bytes: limits.bodyBytes, time: limits.bodyTime, announced }, () => {
      if (expectsContinue && !this.responded && !stream.destroyed) stream.additionalHeaders({ ':status': 100 });
    });
    const gone = new Alarm();
    this.gone = gone;
    this.over = new Promise((resolve) => {
      const close = (): void => {
        if (stream.aborted || !stream.writableFinished) gone.abort();
        resolve();
      };
      // Node lets a stream that was reset live on until somebody has read it to its end.
      stream.once('aborted', close);
      stream.once('close', close);
      if (stream.closed) close();
    });
  }

  respond({ status, headers }: HttpResponseHead): HttpReply {
    if (this.responded) throw new Error('the exchange was answered before');
    this.responded = true;
    const stream = this.#stream;
    if (!stream.destroyed && !stream.closed) stream.respond({ ':status': status, ...grouped(headers) });
    return {
      write: (bytes) => this.#write(bytes),
      end: async (bytes) => {
        if (bytes?.length) await this.#write(bytes);
        if (!stream.writableEnded && !stream.destroyed) stream.end();
        // The client may go on sending a body that nobody reads.
        stream.once('finish', () => {
          if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
        });
        stream.resume();
        await this.over;
      },
      abort: () => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
    };
  }

  async answer(head: HttpResponseHead, body: Uint8Array = new Uint8Array(0)): Promise<void> {
    const bodiless = head.status === 204 || head.status === 304;
    const length: HttpHeader = ['content-length', String(body.length)];
    const headers = head.headers.filter(([name]) => name !== 'content-length');
    await this.respond({ status: head.status, headers: bodiless ? headers : [...headers, length] }).end(body);
  }

  /** The gateway failed: says so if it still can. */
  async fail(): Promise<void> {
    if (this.responded) this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    else await this.answer({ status: 500, headers: [['content-type', 'text/plain; charset=utf-8']] }, failure);
  }

  #write(bytes: Uint8Array): Promise<void> {
    const stream = this.#stream;
    // Node has ended the stream itself where no body may be: HEAD, 204, 304.
    if (stream.destroyed || stream.closed || stream.writableEnded || stream.write(bytes)) return Promise.resolve();
    return new Promise((resolve) => {
      const on = (): void => {
        stream.off('drain', on);
        stream.off('close', on);
        resolve();
      };
      stream.once('drain', on);
      stream.once('close', on);
    });
  }
}

function grouped(headers: readonly HttpHeader[]): Record<string, string | string[]> {
  const fields = new Map<string, string[]>();
  for (const [name, value] of headers) {
    if (!connectionFields.has(name)) fields.set(name, [...(fields.get(name) ?? []), value]);
  }
  return Object.fromEntries(
    [...fields].map(([name, values]) => [name, values.length === 1 ? (values[0] ?? '') : values]),
  );
}
