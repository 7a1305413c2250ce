import type { Clock } from '@sluice/core/contract/clock.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import type { Json } from '@sluice/core/domain/json.ts';
import type { HttpHeader } from '../../wire/http/exchange.ts';
import {
  type Failure,
  type Message,
  type Notification,
  type Result,
  readMessage,
  writeMessage,
} from '../jsonrpc/message.ts';
import { SseReader } from '../jsonrpc/sse-reader.ts';
import type { CallListener, Peer, PeerEvents } from './peer.ts';
import { requestText } from './request-text.ts';

export interface HttpAnswer {
  readonly status: number;
  readonly headers: readonly HttpHeader[];
  /** To be read once; leaving it early lets the connection go. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** Sends one HTTP request to the target's MCP endpoint; redirects are answers like any other. */
export type SendHttp = (request: {
  readonly method: 'POST' | 'GET' | 'DELETE';
  readonly headers: readonly HttpHeader[];
  readonly body?: Uint8Array;
  readonly signal: AbortSignal;
}) => Promise<HttpAnswer>;

export interface HttpPeerOptions {
  readonly send: SendHttp;
  /** For what ends things at the server, when the session's own connections are gone already. */
  aside(): { readonly send: SendHttp; close(): void };
  readonly events: PeerEvents;
  /** Most bytes of one message. */
  readonly most: number;
  readonly clock: Clock;
  parse(bytes: Uint8Array): Json;
}

/** How long to wait before the server's own stream is opened again, after each failure; then the server is lost. */
const patience = [200, 600, 1_200];
/** Between a stream that ended in good order and the next; milliseconds. */
const pauseBetweenStreams = 1_000;
const farewellTime = 2_000;
const mostDrained = 16_384;

/** A server behind MCP's streamable HTTP transport. Streams are not resumed: what was lost on the way is lost. */
export class HttpPeer implements Peer {
  readonly #options: HttpPeerOptions;
  readonly #closing = new AbortController();
  readonly #underWay = new Map<number, AbortController>();
  #next = 1;
  /** The server's name for its session; no client ever sees it. */
  #session: string | undefined;
  #version: string | undefined;
  #gone: Error | undefined;

  constructor(options: HttpPeerOptions) {
    this.#options = options;
  }

  /** From now on this revision is spoken. */
  agreed(version: string): void {
    this.#version = version;
  }

  /** Reads the server's own stream, if it has one, for as long as the session lasts. */
  listen(): void {
    void this.#listen();
  }

  async request(body: Uint8Array, listener: CallListener): Promise<Result | Failure> {
    this.#checkOpen();
    const id = this.#next++;
    const giveUp = new AbortController();
    const abort = (): void => giveUp.abort();
    this.#underWay.set(id, giveUp);
    listener.signal.addEventListener('abort', abort, { once: true });
    try {
      if (listener.signal.aborted) throw givenUp();
      const text = requestText(id, body, listener.progress);
      const answer = await this.#post(text, giveUp.signal).catch((error) => {
        // Nobody listens there any more: what is asked next would fare no better.
        if (error instanceof CoreError && error.code === 'upstream_unreachable') this.#lost(error);
        throw error;
      });
      return await this.#answerTo(id, answer, listener);
    } catch (error) {
      if (this.#gone) throw this.#gone;
      if (!listener.signal.aborted) throw asCoreError(error);
      const params = { requestId: id };
      this.notify({ kind: 'notification', method: 'notifications/cancelled', params }).catch(() => {});
      throw givenUp();
    } finally {
      this.#underWay.delete(id);
      listener.signal.removeEventListener('abort', abort);
    }
  }

  async notify(notification: Notification): Promise<void> {
    this.#checkOpen();
    await this.#post(writeMessage(notification), this.#closing.signal).then(drained);
  }

  close(): void {
    if (this.#gone) return;
    this.#gone = new CoreError('session_over', 'gateway', 'The session is over.');
    const headers = this.#headers('application/json, text/event-stream');
    const farewells = [...this.#underWay.keys()].map((requestId) =>
      writeMessage({ kind: 'notification', method: 'notifications/cancelled', params: { requestId } }),
    );
    this.#abortAll();
    if (this.#session !== undefined) void this.#farewell(headers, farewells);
  }

  /** MCP "Session Management" 5: a session that is no longer needed is ended; a server may refuse that. */
  async #farewell(headers: readonly HttpHeader[], texts: readonly string[]): Promise<void> {
    const { send, close } = this.#options.aside();
    const enough = new AbortController();
    const cancel = this.#options.clock.after(farewellTime, () => enough.abort());
    const { signal } = enough;
    try {
      const typed: readonly HttpHeader[] = [...headers, ['content-type', 'application/json']];
      for (const text of texts) {
        await send({ method: 'POST', headers: typed, body: Buffer.from(text), signal }).then(drained);
      }
      await send({ method: 'DELETE', headers, signal }).then(drained);
    } catch {
      // The server is gone, or ends the session by itself in time.
    } finally {
      cancel();
      enough.abort();
      close();
    }
  }

  async #post(text: string, signal: AbortSignal): Promise<HttpAnswer> {
    const headers: readonly HttpHeader[] = [
      ...this.#headers('application/json, text/event-stream'),
      ['content-type', 'application/json'],
    ];
    const answer = await this.#options.send({ method: 'POST', headers, body: Buffer.from(text), signal });
    if (answer.status === 200 || answer.status === 202) {
      this.#session ??= this.#version === undefined ? sessionIn(answer) : undefined;
      return answer;
    }
    await drained(answer);
    throw this.#refused(answer.status);
  }

  #headers(accept: string): HttpHeader[] {
    const headers: HttpHeader[] = [['accept', accept]];
    if (this.#session !== undefined) headers.push(['mcp-session-id', this.#session]);
    if (this.#version !== undefined) headers.push(['mcp-protocol-version', this.#version]);
    return headers;
  }

  #refused(status: number): Error {
    const detail = `the MCP endpoint answered with HTTP status ${status}`;
    if (status === 401 || status === 403) {
      const text = 'The target did not accept the credential of the gateway. Tell its operator.';
      return new CoreError('upstream_login', 'upstream', text, { detail });
    }
    // MCP "Session Management" 3: the server has ended the session, and nothing more can come of it.
    if (status === 404 && this.#session !== undefined) {
      const gone = new CoreError('upstream_unreachable', 'upstream', 'The target has ended its session.', { detail });
      this.#lost(gone);
      return gone;
    }
    return new CoreError('upstream_protocol', 'upstream', `The target answered with HTTP status ${status}.`, {
      detail,
    });
  }

  async #answerTo(id: number, answer: HttpAnswer, listener: CallListener): Promise<Result | Failure> {
    const type = mediaType(answer);
    if (answer.status !== 200) {
      await drained(answer);
      throw nonsense('a request was taken without an answer');
    }
    if (type === 'application/json') {
      const message = this.#understood(await wholeOf(answer.body, this.#options.most));
      if ((message.kind === 'result' || message.kind === 'error') && message.id === id) return message;
      throw nonsense('the answer belongs to another request');
    }
    if (type !== 'text/event-stream') {
      await drained(answer);
      throw nonsense('the answer is neither JSON nor a stream of events');
    }
    for await (const message of this.#messages(answer.body)) {
      if (message.kind === 'result' || message.kind === 'error') {
        if (message.id === id) return message;
        this.#options.events.onNonsense('an answer that nobody waits for');
      } else await this.#said(message, id, listener);
    }
    throw new CoreError('upstream_unreachable', 'upstream', 'The target broke its answer off.');
  }

  async *#messages(body: AsyncIterable<Uint8Array>): AsyncIterable<Message> {
    const reader = new SseReader(this.#options.most);
    for await (const chunk of body) {
      for (const { event, data } of reader.push(chunk)) {
        if (event === 'message') yield this.#understood(Buffer.from(data));
        else this.#options.events.onNonsense('an event of a kind that is not known');
      }
    }
  }

  #understood(bytes: Uint8Array): Message {
    try {
      return readMessage(this.#options.parse(bytes));
    } catch (error) {
      throw nonsense('a message that is none', error);
    }
  }

  /** What a server says along with an answer, or on its own stream. */
  async #said(message: Message, id?: number, listener?: CallListener): Promise<void> {
    const { events } = this.#options;
    if (message.kind === 'request') {
      await this.#post(writeMessage(events.onRequest(message)), this.#closing.signal).then(drained);
    } else if (message.kind !== 'notification') {
      events.onNonsense('an answer that nobody waits for');
    } else if (message.method === 'notifications/progress') {
      if (listener && message.params['progressToken'] === id) await listener.onNotification(message);
      else events.onNonsense('progress of a request that nobody waits for');
    } else await (listener ?? events).onNotification(message);
  }

  async #listen(): Promise<void> {
    for (let failures = 0; !this.#gone; ) {
      try {
        const headers = this.#headers('text/event-stream');
        const answer = await this.#options.send({ method: 'GET', headers, signal: this.#closing.signal });
        if (answer.status !== 200 || mediaType(answer) !== 'text/event-stream') {
          await drained(answer);
          // MCP "Listening for Messages": a server need not have a stream of its own.
          if (answer.status === 404 && this.#session !== undefined) this.#refused(404);
          return;
        }
        failures = 0;
        for await (const message of this.#messages(answer.body)) await this.#said(message);
        await this.#wait(pauseBetweenStreams);
      } catch (error) {
        const next = patience[failures++];
        if (this.#gone) return;
        if (next === undefined) this.#lost(asCoreError(error));
        else await this.#wait(next);
      }
    }
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#options.clock.after(ms, resolve);
    });
  }

  #checkOpen(): void {
    if (this.#gone) throw this.#gone;
  }

  #lost(error: Error): void {
    if (this.#gone) return;
    this.#gone = new CoreError('upstream_unreachable', 'upstream', 'The target is gone.', { cause: error });
    this.#abortAll();
    this.#options.events.onLost(error);
  }

  #abortAll(): void {
    this.#closing.abort();
    for (const giveUp of this.#underWay.values()) giveUp.abort();
  }
}

function givenUp(): CoreError {
  return new CoreError('session_over', 'client', 'The request was given up.');
}

function nonsense(detail: string, cause?: unknown): CoreError {
  const text = 'The target gave an answer that makes no sense.';
  return new CoreError('upstream_protocol', 'upstream', text, cause === undefined ? { detail } : { detail, cause });
}

function asCoreError(error: unknown): CoreError {
  if (error instanceof CoreError) return error;
  const text = 'The target cannot be reached, or broke its answer off.';
  return new CoreError('upstream_unreachable', 'upstream', text, { cause: error });
}

/** MCP "Session Management" 1: visible ASCII. Anything else is no session. */
function sessionIn({ headers }: HttpAnswer): string | undefined {
  const [id, ...more] = headers.filter(([name]) => name === 'mcp-session-id').map(([, value]) => value);
  return id !== undefined && more.length === 0 && /^[\x21-\x7e]{1,1024}$/.test(id) ? id : undefined;
}

function mediaType({ headers }: HttpAnswer): string {
  const value = headers.find(([name]) => name === 'content-type')?.[1] ?? '';
  return (value.split(';')[0] ?? '').trim().toLowerCase();
}

async function wholeOf(body: AsyncIterable<Uint8Array>, most: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > most) throw nonsense('the answer is larger than the limit');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** What nobody needs is read as far as a few bytes go, so that the connection is free for the next request. */
async function drained({ body }: HttpAnswer): Promise<void> {
  let length = 0;
  try {
    for await (const chunk of body) {
      length += chunk.length;
      if (length > mostDrained) return;
    }
  } catch {
    // It was of no interest.
  }
}
