import type { HttpExchange, HttpHeader, HttpReply } from '../../wire/http/exchange.ts';
import { type Failure, messageJson, type Notification, type Result, writeMessage } from '../jsonrpc/message.ts';
import { answerJson } from '../reply.ts';

/** WHATWG HTML section 9.2; proxies that buffer would hold back what is meant to arrive now. */
const stream: readonly HttpHeader[] = [
  ['content-type', 'text/event-stream'],
  ['cache-control', 'no-store, no-transform'],
  ['x-accel-buffering', 'no'],
];

/** Messages to a client as Server-Sent Events; they have no ids, since a stream is never resumed. */
export class ClientStream {
  readonly #reply: HttpReply;
  #over = false;

  constructor(exchange: HttpExchange) {
    this.#reply = exchange.respond({ status: 200, headers: stream });
  }

  /** Resolves when more may be written. */
  send(message: Notification | Result | Failure): Promise<void> {
    return this.#write(`event: message\ndata: ${writeMessage(message)}\n\n`);
  }

  /** A comment: something passes, so that nobody on the way takes the connection for dead. */
  beat(): Promise<void> {
    return this.#write(': \n\n');
  }

  async end(last?: Result | Failure): Promise<void> {
    if (this.#over) return;
    if (last) await this.send(last);
    if (this.#over) return;
    this.#over = true;
    await this.#reply.end();
  }

  #write(text: string): Promise<void> {
    return this.#over ? Promise.resolve() : this.#reply.write(Buffer.from(text));
  }
}

/** The answer to one request of a client's: one document, or a stream as soon as there is something to say before it. */
export class ClientReply {
  readonly #exchange: HttpExchange;
  #stream: ClientStream | undefined;
  #over = false;

  constructor(exchange: HttpExchange) {
    this.#exchange = exchange;
  }

  /** Something that belongs to the request, before its answer. */
  notify(message: Notification): Promise<void> {
    if (this.#over) return Promise.resolve();
    this.#stream ??= new ClientStream(this.#exchange);
    return this.#stream.send(message);
  }

  beat(): Promise<void> {
    if (this.#over) return Promise.resolve();
    this.#stream ??= new ClientStream(this.#exchange);
    return this.#stream.beat();
  }

  async finish(message: Result | Failure, headers: readonly HttpHeader[] = []): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    if (this.#stream) await this.#stream.end(message);
    else await answerJson(this.#exchange, 200, messageJson(message), headers);
  }
}
