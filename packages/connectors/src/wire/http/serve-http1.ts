import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Deadline } from './deadline.ts';
import type { HttpRequestHead } from './exchange.ts';
import { fromRawHeaders, headerTokens, soleHeader } from './headers.ts';
import { Http1Exchange } from './http1-exchange.ts';
import { Http1Upgrade, plainAnswer } from './http1-upgrade.ts';
import { linger } from './linger.ts';
import { type CheckedHead, checkHead } from './request-check.ts';
import type { ServedConnection } from './served-connection.ts';
import { Alarm } from './signal.ts';

/** One connection of HTTP/1.0 or 1.1; resolves when it is closed. */
export function serveHttp1(connection: ServedConnection): Promise<void> {
  return new Promise((resolve) => new Http1Connection(connection, resolve).begin());
}

/** Requests for an upgrade, on one connection, that are served as if they had not asked for it. */
const mostNotTaken = 4;

class Http1Connection {
  readonly #connection: ServedConnection;
  readonly #server: Server;
  readonly #gone = new Alarm();
  readonly #deadline = new Deadline();
  #tail: Promise<void> = Promise.resolve();
  #waiting = 0;
  #running: Http1Exchange | undefined;
  #quiet = true;
  #refused = false;
  #closing = false;
  #switched = false;
  #notTaken = 0;
  readonly #tooSlow = (): void => this.#refuseRaw(408, 'The head of the request took too long.', '');
  readonly #rested = (): void => void this.#connection.stream.end();

  constructor(connection: ServedConnection, closed: () => void) {
    this.#connection = connection;
    const { limits, stream } = connection;
    this.#server = createServer({
      insecureHTTPParser: false,
      maxHeaderSize: limits.headBytes,
      // Checked by us, so that the refusal is told of.
      requireHostHeader: false,
      keepAliveTimeout: 0,
      headersTimeout: 0,
      requestTimeout: 0,
    });
    // Any other number makes Node drop the fields beyond it without a word.
    this.#server.maxHeadersCount = 0;
    stream.once('close', () => {
      this.#deadline.stop();
      this.#gone.abort();
      this.#running?.cut();
      closed();
    });
    // Without a listener, an error of the socket would end the process; 'close' follows it.
    stream.on('error', () => {});
    stream.once('finish', () => {
      if (!this.#switched) linger(stream, limits.lingerTime);
    });
  }

  begin(): void {
    const server = this.#server;
    server.on('request', (request, response) => this.#request(request, response, false));
    server.on('checkContinue', (request, response) => this.#request(request, response, true));
    server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
      const { promise, done } = this.#turn();
      const reason = 'The only expectation that is understood is "100-continue".';
      void promise.then(() => this.#refuse(417, reason, request, response)).then(done);
    });
    server.on('connect', (request: IncomingMessage) => {
      this.#refuseRaw(405, 'CONNECT is not served here.', textOf(request));
    });
    server.on('upgrade', (request: IncomingMessage, _socket: Duplex, rest: Buffer) => this.#upgrade(request, rest));
    server.on('clientError', (error: NodeJS.ErrnoException) => this.#broken(error));
    this.#connection.stream.onBytes = () => {
      if (this.#quiet && this.#waiting === 0) this.#headBegins();
    };
    this.#connection.options.onConnected?.({ close: (message) => this.#close(message) });
    this.#headBegins();
    server.emit('connection', this.#connection.stream);
  }

  #close(message: string): void {
    if (this.#closing || this.#refused) return;
    this.#closing = true;
    const { stream } = this.#connection;
    if (this.#waiting > 0 || stream.destroyed) return;
    this.#refused = true;
    this.#deadline.lift();
    stream.end(plainAnswer(408, message));
  }

  #headBegins(): void {
    this.#quiet = false;
    this.#deadline.set(this.#connection.limits.headTime, this.#tooSlow);
  }

  /** Waits for its place behind the requests before it. */
  #turn(): { readonly promise: Promise<void>; readonly done: () => void } {
    this.#deadline.lift();
    this.#waiting += 1;
    const before = this.#tail;
    let finish = (): void => {};
    this.#tail = new Promise((resolve) => {
      finish = resolve;
    });
    if (this.#waiting > this.#connection.limits.waiting) {
      this.#refuseRaw(429, 'Too many requests wait behind one another.', '');
    }
    return {
      promise: before,
      done: () => {
        this.#waiting -= 1;
        finish();
        if (this.#waiting > 0) return;
        if (this.#closing) {
          this.#connection.stream.end();
          return;
        }
        this.#quiet = true;
        this.#deadline.set(this.#connection.limits.idleTime, this.#rested);
      },
    };
  }

  #request(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    const { promise, done } = this.#turn();
    void promise
      .then(() => this.#serve(request, response, expectsContinue))
      .catch((error: unknown) => {
        this.#connection.options.onFailure(error);
        this.#connection.stream.destroy();
      })
      .then(done);
  }

  async #serve(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): Promise<void> {
    if (this.#refused || this.#gone.aborted) return;
    const { head, bad } = checkedHead(request);
    if (!head) {
      await this.#refuse(bad.status, bad.reason, request, response);
      return;
    }
    const { limits, options, origin } = this.#connection;
    const exchange = new Http1Exchange(head, origin, request, response, limits, expectsContinue);
    this.#running = exchange;
    try {
      await options.onExchange(exchange);
      if (!exchange.responded) throw new Error('the exchange was left without an answer');
    } catch (error) {
      options.onFailure(error);
      await exchange.fail();
    }
    await exchange.over;
    this.#running = undefined;
  }

  async #refuse(status: number, reason: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#connection.options.onRefused({ status, reason, text: textOf(request) });
    this.#refused = true;
    const body = Buffer.from(`${reason}\n`);
    response.writeHead(status, {
      'content-type': 'text/plain; charset=utf-8',
      'content-length': body.length,
      connection: 'close',
    });
    await new Promise<void>((resolve) => {
      response.once('close', resolve);
      response.end(body);
    });
  }

  /** Where there is no response of Node's to answer with. */
  #refuseRaw(status: number, reason: string, text: string): void {
    if (this.#refused) return;
    this.#refused = true;
    this.#deadline.lift();
    const { options, stream } = this.#connection;
    options.onRefused({ status, reason, text });
    // Behind an answer that has begun, another would be taken for a part of it.
    if (this.#running?.responded) stream.destroy();
    else if (!stream.destroyed) stream.end(plainAnswer(status, reason));
  }

  #broken(error: NodeJS.ErrnoException): void {
    // A connection that was cut is no request.
    if (error.code === 'ECONNRESET' || error.code === 'EPIPE') {
      this.#connection.stream.destroy();
      return;
    }
    const tooLarge = error.code === 'HPE_HEADER_OVERFLOW' || error.code === 'ERR_HTTP_REQUEST_HEADERS_TOO_LARGE';
    this.#refuseRaw(
      tooLarge ? 431 : 400,
      tooLarge ? 'The head of the request is too large.' : 'The bytes are no request of HTTP/1.1.',
      '',
    );
  }

  #upgrade(request: IncomingMessage, rest: Buffer): void {
    const { promise, done } = this.#turn();
    void promise
      .then(() => this.#switch(request, rest))
      .catch((error: unknown) => {
        this.#connection.options.onFailure(error);
        this.#connection.stream.destroy();
      })
      .then(done);
  }

  async #switch(request: IncomingMessage, rest: Buffer): Promise<void> {
    if (this.#refused || this.#gone.aborted) return;
    const { head, bad } = checkedHead(request);
    if (!head) {
      this.#refuseRaw(bad.status, bad.reason, textOf(request));
      return;
    }
    const { options, origin, stream } = this.#connection;
    const wanted = soleHeader(head.headers, 'upgrade')?.toLowerCase();
    if (wanted !== 'websocket' || !options.onUpgrade) {
      this.#serveWithoutUpgrade(head, rest);
      return;
    }
    if (
      request.method !== 'GET' ||
      soleHeader(head.headers, 'content-length') ||
      soleHeader(head.headers, 'transfer-encoding')
    ) {
      this.#refuseRaw(400, 'A request for a WebSocket is a GET without a body.', textOf(request));
      return;
    }
    this.#switched = true;
    const upgrade = new Http1Upgrade(head, origin, stream, rest, this.#gone);
    try {
      await options.onUpgrade(upgrade);
      if (!upgrade.answered) throw new Error('the upgrade was left without an answer');
    } catch (error) {
      options.onFailure(error);
      await upgrade.fail();
    }
    await upgrade.over;
  }

  /** A server may take a request for an upgrade as if it had not asked for it; Node by now has stopped reading HTTP. */
  #serveWithoutUpgrade(head: HttpRequestHead, rest: Buffer): void {
    const { stream } = this.#connection;
    this.#notTaken += 1;
    // Each leaves listeners of Node's behind on the stream, so that it can't go on for ever.
    const last = this.#notTaken >= mostNotTaken || headerTokens(head.headers, 'connection').includes('close');
    const kept = head.headers.filter(([name]) => !['upgrade', 'http2-settings', 'connection'].includes(name));
    const fields = [...kept, ...(last ? [['connection', 'close']] : [])];
    const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    if (rest.length > 0) stream.unshift(rest);
    stream.unshift(Buffer.from(`${head.method} ${head.path} HTTP/${head.version}\r\n${lines}\r\n`, 'latin1'));
    this.#server.emit('connection', stream);
  }
}

function checkedHead(request: IncomingMessage): CheckedHead {
  const version = request.httpVersion;
  if (version !== '1.0' && version !== '1.1') {
    return { bad: { status: 505, reason: 'This version of HTTP is not served.' } };
  }
  return checkHead(version, request.method ?? '', request.url ?? '', undefined, fromRawHeaders(request.rawHeaders));
}

/** The request line, as far as it can be shown: what is behind `?` may hold secrets. */
function textOf(request: IncomingMessage): string {
  return `${request.method ?? ''} ${(request.url ?? '').split('?')[0]?.slice(0, 512)}`;
}
