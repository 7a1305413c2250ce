import {
  constants,
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { HttpHeader } from './exchange.ts';
import { goawayWatch } from './goaway-watch.ts';
import { fromRawHeaders } from './headers.ts';
import { Http2Exchange } from './http2-exchange.ts';
import { linger } from './linger.ts';
import { type CheckedHead, checkHead } from './request-check.ts';
import type { ServedConnection } from './served-connection.ts';

/** One connection of HTTP/2 (RFC 9113); resolves when it is closed. */
export function serveHttp2(connection: ServedConnection): Promise<void> {
  return new Promise((resolve) => new Http2Connection(connection, resolve).begin());
}

class Http2Connection {
  readonly #connection: ServedConnection;
  readonly #session: ServerHttp2Session;
  readonly #gone = new AbortController();
  #running = 0;
  /** Streams given up by the client, less those that it let finish. */
  #resets = 0;
  #timer: NodeJS.Timeout | undefined;
  /** One of the two sides has said that the connection ends. */
  #ending = false;

  constructor(connection: ServedConnection, closed: () => void) {
    this.#connection = connection;
    const { limits, stream } = connection;
    // Errors of the socket reach the session too; here they must only not go unheard.
    stream.on('error', () => {});
    stream.once('finish', () => {
      this.#broken();
      linger(stream, limits.lingerTime);
    });
    stream.onSent = goawayWatch(() => {
      this.#broken();
      // Node has yet to pause what it will not read.
      setImmediate(() => linger(stream, limits.lingerTime));
    });
    stream.onGone = () => {
      this.#ending = true;
      stream.destroy();
    };
    stream.once('close', () => {
      clearTimeout(this.#timer);
      this.#gone.abort();
      closed();
    });
    this.#session = performServerHandshake(stream, {
      maxSessionMemory: 16,
      maxHeaderListPairs: 160,
      maxOutstandingPings: 4,
      maxSettings: 16,
      settings: {
        enablePush: false,
        enableConnectProtocol: false,
        maxConcurrentStreams: limits.streams,
        maxHeaderListSize: limits.headBytes,
        initialWindowSize: 256 * 1024,
      },
    });
  }

  begin(): void {
    const session = this.#session;
    session.on('error', () => {
      this.#broken();
      this.#connection.stream.destroy();
    });
    session.on('goaway', () => {
      this.#ending = true;
    });
    session.on('close', () => this.#connection.stream.destroy());
    session.on('stream', (stream: ServerHttp2Stream, _headers: IncomingHttpHeaders, flags: number, raw?: unknown) => {
      this.#stream(stream, flags, Array.isArray(raw) ? raw.map(String) : undefined);
    });
    this.#connection.options.onConnected?.({ close: (message) => this.#close(message) });
    this.#rest(this.#connection.limits.headTime);
  }

  /** Node itself ends a connection whose frames are wrong (RFC 9113 section 5.4.1), and does not always tell of it. */
  #broken(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#connection.options.onRefused({ status: 400, reason: 'The frames are not as HTTP/2 has them.', text: '' });
  }

  #close(message: string): void {
    const session = this.#session;
    if (session.destroyed || session.closed) return;
    this.#ending = true;
    session.goaway(constants.NGHTTP2_NO_ERROR, 0, Buffer.from(message).subarray(0, 512));
    session.close();
  }

  #rest(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#ending = true;
      this.#session.close();
      linger(this.#connection.stream, this.#connection.limits.lingerTime);
    }, ms);
    this.#timer.unref();
  }

  #stream(stream: ServerHttp2Stream, flags: number, raw: readonly string[] | undefined): void {
    clearTimeout(this.#timer);
    stream.on('error', () => {});
    this.#running += 1;
    stream.once('aborted', () => this.#givenUp());
    // Streams that were given up are gone for HTTP/2, but what they began may still run.
    if (this.#running > this.#connection.limits.streams * 4) this.#end();
    void this.#serve(stream, flags, raw ?? [])
      .catch((error: unknown) => {
        this.#connection.options.onFailure(error);
        stream.close(constants.NGHTTP2_INTERNAL_ERROR);
      })
      .then(() => {
        this.#running -= 1;
        if (!stream.aborted && this.#resets > 0) this.#resets -= 1;
        if (this.#running === 0 && !this.#gone.signal.aborted) this.#rest(this.#connection.limits.idleTime);
      });
  }

  /** RFC 9113 section 10.5: streams opened only to be reset cost us and not the client. */
  #givenUp(): void {
    this.#resets += 1;
    if (this.#resets > this.#connection.limits.resets) this.#end();
  }

  #end(): void {
    if (this.#session.destroyed) return;
    this.#ending = true;
    this.#connection.options.onRefused({ status: 429, reason: 'Too many streams were opened and given up.', text: '' });
    this.#session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  async #serve(stream: ServerHttp2Stream, flags: number, raw: readonly string[]): Promise<void> {
    const { limits, options, origin } = this.#connection;
    const { head, bad } = checkedHead(raw);
    if (!head) {
      const path = raw[raw.indexOf(':path') + 1] ?? '';
      const method = raw[raw.indexOf(':method') + 1] ?? '';
      options.onRefused({ ...bad, text: `${method} ${path.split('?')[0]?.slice(0, 512)}` });
      if (stream.destroyed || stream.closed) return;
      stream.respond({ ':status': bad.status, 'content-type': 'text/plain; charset=utf-8' });
      stream.end(`${bad.reason}\n`);
      return;
    }
    const hasBody = (flags & constants.NGHTTP2_FLAG_END_STREAM) === 0;
    const exchange = new Http2Exchange(head, origin, stream, hasBody, limits);
    try {
      await options.onExchange(exchange);
      if (!exchange.responded) throw new Error('the exchange was left without an answer');
    } catch (error) {
      options.onFailure(error);
      await exchange.fail();
    }
    await exchange.over;
  }
}

/** Pseudo-header fields (RFC 9113 section 8.3.1) apart from the others; crumbs of cookies joined (section 8.2.3). */
function checkedHead(raw: readonly string[]): CheckedHead {
  const pseudo = new Map<string, string>();
  const headers: HttpHeader[] = [];
  const cookies: string[] = [];
  for (const [name, value] of fromRawHeaders(raw)) {
    if (name.startsWith(':')) {
      if (pseudo.has(name)) return { bad: { status: 400, reason: 'A pseudo-header field comes more than once.' } };
      pseudo.set(name, value);
    } else if (name === 'cookie') cookies.push(value);
    else headers.push([name, value]);
  }
  for (const name of pseudo.keys()) {
    if (![':method', ':path', ':scheme', ':authority'].includes(name)) {
      return { bad: { status: 400, reason: 'There is a pseudo-header field that is not understood.' } };
    }
  }
  if (!['http', 'https'].includes(pseudo.get(':scheme') ?? '')) {
    return { bad: { status: 400, reason: 'The scheme is missing or is not that of HTTP.' } };
  }
  if (cookies.length > 0) headers.push(['cookie', cookies.join('; ')]);
  return checkHead('2', pseudo.get(':method') ?? '', pseudo.get(':path') ?? '', pseudo.get(':authority'), headers);
}
