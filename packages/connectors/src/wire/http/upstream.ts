import { type Duplex, Readable } from 'node:stream';
import type { UpstreamTls } from '@sluice/core/contract/link.ts';
import type { UpstreamAccess } from '@sluice/core/contract/upstream.ts';
import { SluiceError } from '@sluice/core/domain/error.ts';
import { type buildConnector, type Dispatcher, errors, Pool } from 'undici';
import { LinkDuplex } from '../duplex.ts';
import { ArrivingBody, type BodyBytes } from './arriving-body.ts';
import { identityCoding } from './content-coding.ts';
import type { HttpHeader } from './exchange.ts';
import { fromRawHeaders } from './headers.ts';
import { HttpError } from './http-error.ts';
import { checkResponse } from './response-check.ts';
import type { Signal } from './signal.ts';

export interface UpstreamRequest {
  readonly method: string;
  /** Origin form, as it is to be sent. */
  readonly path: string;
  /** Without `host` and without anything that belongs to the connection or frames the body. */
  readonly headers: readonly HttpHeader[];
  /** Bytes are sent with their length, what comes bit by bit in chunks. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  readonly signal: Signal;
}

export interface UpstreamResponse {
  readonly status: number;
  /** Without those of the connection, of framing and of the content coding that was undone. */
  readonly headers: readonly HttpHeader[];
  /** Unpacked. To be read to its end, or left by a `return`, or the connection stays taken. Throws `HttpError`. */
  readonly body: BodyBytes;
}

export interface UpstreamBounds {
  /** Connections at once; what is more waits. */
  readonly connections: number;
  readonly headBytes: number;
  /** From the end of the request to the end of the response's head, in milliseconds. */
  readonly headTime: number;
  /** Between two pieces of the response's body, in milliseconds. */
  readonly bodyTime: number;
}

export interface HttpUpstream {
  /**
   * Sends one request, once, and resolves with the head of its response. Rejects with an `HttpError` (`upstream_gone`,
   * `bad_response`), with what dialling rejects with, or with the reason of the signal.
   */
  send(request: UpstreamRequest): Promise<UpstreamResponse>;
  /** Asks for a WebSocket. Where the target declines, only its status is told. */
  upgrade(
    request: UpstreamRequest,
  ): Promise<{ readonly status: number; readonly headers: readonly HttpHeader[]; readonly stream?: Duplex }>;
  close(): void;
}

export const upstreamBounds: UpstreamBounds = {
  connections: 8,
  headBytes: 64 * 1024,
  headTime: 300_000,
  bodyTime: 900_000,
};

/**
 * HTTP/1.1 as a client over connections that a session opens: `first` is its own, further ones are dialled when more
 * exchanges run at once. Connections are kept for the next exchange. Nothing is retried, no redirect is followed, no
 * cookie is kept. `authority` is what the target is called in `Host`.
 */
export function createHttpUpstream(
  authority: string,
  first: UpstreamAccess | undefined,
  dial: () => Promise<UpstreamAccess>,
  bounds: UpstreamBounds = upstreamBounds,
): HttpUpstream {
  let spare = first;
  const connected = async (): Promise<LinkDuplex> => {
    const access = spare ?? (await dial());
    spare = undefined;
    if (access.tls !== 'disable') await access.socket.startTls({ alpn: ['http/1.1'], ...ownCertificate(access) });
    return new LinkDuplex(access.socket);
  };
  const pool = new Pool('http://upstream.invalid', {
    connections: bounds.connections,
    pipelining: 1,
    allowH2: false,
    maxHeaderSize: bounds.headBytes,
    headersTimeout: bounds.headTime,
    bodyTimeout: bounds.bodyTime,
    keepAliveTimeout: 30_000,
    strictContentLength: true,
    connect: (_options, callback) => {
      connected().then(
        // It asks of a socket only what every stream has.
        (stream) => callback(null, stream as unknown as NonNullable<Parameters<buildConnector.Callback>[1]>),
        (error: Error) => callback(error, null),
      );
    },
  });
  const fieldsOf = ({ headers }: UpstreamRequest): string[] => {
    const fields = ['host', authority];
    for (const [name, value] of headers) fields.push(name, value);
    return fields;
  };
  return {
    send: (request) =>
      new Promise((resolve, reject) => {
        const { method, path, body } = request;
        const response = new Responding(request, resolve, reject);
        // What it throws it has told the handler before, unless there is no handler yet.
        try {
          pool.dispatch({ method, path, headers: fieldsOf(request), body: bodyOf(body) }, response);
        } catch (error) {
          response.failed(error);
        }
      }),
    upgrade: (request) =>
      new Promise((resolve, reject) => {
        const fail = (error: unknown): void => reject(failureOf(error, request.signal));
        try {
          pool.dispatch(
            { method: request.method, path: request.path, headers: fieldsOf(request), upgrade: 'websocket' },
            upgradeHandler(request.signal, resolve, fail),
          );
        } catch (error) {
          fail(error);
        }
      }),
    close: () => {
      spare?.socket.destroy();
      spare = undefined;
      // What still runs is told by its own rejection.
      pool.destroy().catch(() => {});
    },
  };
}

/** One request on its way, and its response as undici tells of it. */
class Responding implements Dispatcher.DispatchHandler {
  readonly #request: UpstreamRequest;
  readonly #resolve: (response: UpstreamResponse) => void;
  readonly #reject: (error: unknown) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #body: ArrivingBody | undefined;
  readonly #giveUp = (): void => {
    const reason = reasonOf(this.#request.signal);
    this.#controller?.abort(reason);
    this.failed(reason);
  };

  constructor(
    request: UpstreamRequest,
    resolve: (response: UpstreamResponse) => void,
    reject: (error: unknown) => void,
  ) {
    this.#request = request;
    this.#resolve = resolve;
    this.#reject = reject;
    request.signal.addEventListener('abort', this.#giveUp);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // Nothing was sent of it yet.
    if (this.#request.signal.aborted) this.#giveUp();
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (status < 200) return;
    try {
      const headers = checkResponse(status, rawHeaders(controller.rawHeaders));
      const body = new ArrivingBody(controller);
      const response = identityCoding(status, this.#request.method, headers, body);
      this.#body = body;
      this.#resolve(response);
    } catch (error) {
      this.failed(error);
      controller.abort(error instanceof Error ? error : new Error(String(error)));
    }
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#body?.push(chunk);
  }

  onResponseEnd(): void {
    this.#over();
    this.#body?.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.failed(error);
  }

  /** Told to whoever waits for the head or, behind it, reads the body. */
  failed(error: unknown): void {
    this.#over();
    const told = failureOf(error, this.#request.signal);
    if (this.#body) this.#body.fail(told);
    else this.#reject(told);
  }

  #over(): void {
    this.#request.signal.removeEventListener('abort', this.#giveUp);
  }
}

type Upgraded = Awaited<ReturnType<HttpUpstream['upgrade']>>;

function upgradeHandler(
  signal: Signal,
  resolve: (answer: Upgraded) => void,
  fail: (error: unknown) => void,
): Dispatcher.DispatchHandler {
  return {
    onRequestStart: (controller) => {
      const abort = (): void => controller.abort(reasonOf(signal));
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort, { once: true });
    },
    onRequestUpgrade: (_controller, status, headers, stream) => {
      try {
        resolve({ status, headers: checkResponse(status, entries(headers)), stream });
      } catch (error) {
        stream.destroy();
        fail(error);
      }
    },
    onResponseStart: (controller, status) => {
      if (status < 200) return;
      resolve({ status, headers: [] });
      controller.abort(new Error('the upgrade was declined'));
    },
    onResponseError: (_controller, error) => fail(error),
    onResponseData: () => {},
    onResponseEnd: () => {},
  };
}

function entries(headers: Readonly<Record<string, string | string[] | undefined>>): HttpHeader[] {
  return Object.entries(headers).flatMap(([name, value]): HttpHeader[] =>
    (Array.isArray(value) ? value : [value ?? '']).map((each) => [name.toLowerCase(), each]),
  );
}

/** From HTTP/1.1, undici has names and values in turn, as bytes. */
function rawHeaders(headers: unknown): HttpHeader[] {
  if (!Array.isArray(headers)) throw new Error('the headers did not come as a list');
  return fromRawHeaders(headers.map((each) => (Buffer.isBuffer(each) ? each.toString('latin1') : String(each))));
}

function bodyOf(body: UpstreamRequest['body']): Uint8Array | Readable | null {
  if (body === undefined) return null;
  return body instanceof Uint8Array ? body : Readable.from(body, { objectMode: false });
}

function reasonOf(signal: Signal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error('given up');
}

function failureOf(error: unknown, signal: Signal): unknown {
  if (signal.aborted) return reasonOf(signal);
  if (error instanceof SluiceError) return error;
  const detail = error instanceof Error ? error.message : String(error);
  if (
    error instanceof errors.HTTPParserError ||
    error instanceof errors.HeadersOverflowError ||
    error instanceof errors.ResponseContentLengthMismatchError
  ) {
    return new HttpError('bad_response', 'The target sent something that is no answer of HTTP/1.1.', {
      cause: error,
      detail,
    });
  }
  return new HttpError('upstream_gone', 'The target ended the connection before its answer was complete.', {
    cause: error,
    detail,
  });
}

/** Targets that know the gateway by a certificate have it among their secrets. */
function ownCertificate({ credential }: UpstreamAccess): Pick<UpstreamTls, 'certificate'> {
  const { client_certificate: chain, client_key: key } = credential.secrets;
  return chain && key ? { certificate: { chain, key } } : {};
}
