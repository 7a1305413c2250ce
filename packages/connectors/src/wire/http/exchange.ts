import type { Duplex } from 'node:stream';
import type { Signal } from './signal.ts';

/** A header field: its name in lower case, and its value as it came, without white space around it. */
export type HttpHeader = readonly [name: string, value: string];

/** Where an exchange came from. */
export interface HttpOrigin {
  /** `host:port` of the client, for people. */
  readonly remote: string;
  readonly loopback: boolean;
  /** Whether it came over TLS. */
  readonly secure: boolean;
}

/** A request's control data (RFC 9110 section 6.2) and its header fields, checked by `request-check.ts`. */
export interface HttpRequestHead {
  readonly version: '1.0' | '1.1' | '2';
  /** As it came; methods are case-sensitive. */
  readonly method: string;
  /** Origin form (RFC 9112 section 3.2.1) as it came: visible ASCII that begins with `/`, query included, no fragment. */
  readonly path: string;
  /** `host[:port]` in lower case, of the Host field or `:authority`; empty for HTTP/1.0 without one. */
  readonly authority: string;
  /** In order; fields that came more than once are there more than once. */
  readonly headers: readonly HttpHeader[];
}

export interface HttpResponseHead {
  /** 200 to 599. */
  readonly status: number;
  readonly headers: readonly HttpHeader[];
}

/** The answer under way. After the client has gone, writes do nothing and resolve at once. */
export interface HttpReply {
  /** Resolves when more may be written. */
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves when everything was handed on, or the client has gone. */
  end(bytes?: Uint8Array): Promise<void>;
  /** Breaks it off in a way that no client takes for a complete answer. */
  abort(): void;
}

/** One request and its answer. */
export interface HttpExchange extends HttpRequestHead {
  readonly origin: HttpOrigin;
  /** Whether a body was announced; one of no bytes counts. */
  readonly hasBody: boolean;
  /**
   * To be read once. Throws `HttpError`: `body_too_large` beyond the cap, `timeout` when nothing comes, `client_gone`.
   * Not reading it holds the client back. A client that waits for `100 Continue` gets it when reading begins.
   */
  readonly body: AsyncIterable<Uint8Array>;
  /** Aborts when the client has gone, or gave the exchange up, before its answer was complete. */
  readonly gone: Signal;
  /** Whether `respond` was called. */
  readonly responded: boolean;
  /** Begins the answer, once; 1xx, connection control and framing (RFC 9112 section 6) are not the caller's business. */
  respond(head: HttpResponseHead): HttpReply;
  /** A whole answer, with its length. */
  answer(head: HttpResponseHead, body?: Uint8Array): Promise<void>;
}

/** A request to leave HTTP for WebSocket (RFC 6455 section 4); it has no body. */
export interface HttpUpgrade extends HttpRequestHead {
  readonly origin: HttpOrigin;
  readonly gone: Signal;
  /** Sends `101 Switching Protocols` with these fields, and gives what follows. */
  accept(headers: readonly HttpHeader[]): Duplex;
  /** A whole answer instead; the connection ends behind it. */
  refuse(head: HttpResponseHead, body?: Uint8Array): Promise<void>;
}

/** Bytes or a request that were refused before they could be an exchange. The client has been told already. */
export interface HttpRefusal {
  /** What was told: 400, 408, 413, 414, 417, 421, 431, … */
  readonly status: number;
  /** For people; holds nothing that the client sent. */
  readonly reason: string;
  /** The request line as far as it was understood, or empty. */
  readonly text: string;
}
