import type { UpstreamSocket } from '@sluice/core/contract/link.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import type { Json } from '@sluice/core/domain/json.ts';
import { Calls } from '../jsonrpc/calls.ts';
import { LineReader } from '../jsonrpc/line-reader.ts';
import {
  type Failure,
  type Message,
  type Notification,
  type Result,
  readMessage,
  writeMessage,
} from '../jsonrpc/message.ts';
import type { CallListener, Peer, PeerEvents } from './peer.ts';
import { requestText } from './request-text.ts';

export interface StdioOptions {
  readonly socket: UpstreamSocket;
  readonly events: PeerEvents;
  /** Most bytes of one message. */
  readonly most: number;
  parse(bytes: Uint8Array): Json;
}

/** A server that is a program: MCP's stdio transport, one message per line on its standard input and output. */
export class StdioPeer implements Peer {
  readonly #socket: UpstreamSocket;
  readonly #events: PeerEvents;
  readonly #parse: (bytes: Uint8Array) => Json;
  readonly #lines: LineReader;
  readonly #calls = new Calls();
  /** Lines that were read while somebody was slow. */
  #queue: Uint8Array[] = [];
  #working = false;
  /** The program does not read what it is sent. */
  #clogged = false;
  /** Whoever waits for it to read on, or for its end. */
  readonly #waits = new Set<() => void>();
  #gone: Error | undefined;

  constructor({ socket, events, most, parse }: StdioOptions) {
    this.#socket = socket;
    this.#events = events;
    this.#parse = parse;
    this.#lines = new LineReader(most);
    socket.onDrain(() => this.#flows());
    socket.onData((chunk) => this.#read(chunk));
    socket.onClose((error) => this.#lost(error ?? new Error('the program ended')));
  }

  async request(body: Uint8Array, listener: CallListener): Promise<Result | Failure> {
    await this.#room(listener.signal);
    return this.#asked(body, listener);
  }

  #asked(body: Uint8Array, listener: CallListener): Promise<Result | Failure> {
    const { signal, progress } = listener;
    return new Promise((resolve, reject) => {
      if (this.#gone) {
        reject(this.#gone);
        return;
      }
      const id = this.#calls.start({
        answered: settle(resolve),
        failed: settle(reject),
        progress: (notification) => listener.onNotification(notification),
      });
      const giveUp = (): void => {
        if (!this.#calls.end(id)) return;
        // MCP "Cancellation": the server may stop; an answer that still comes is one nobody waits for.
        this.#write({ kind: 'notification', method: 'notifications/cancelled', params: { requestId: id } });
        reject(new CoreError('session_over', 'client', 'The request was given up.'));
      };
      function settle<T>(done: (value: T) => void): (value: T) => void {
        return (value) => {
          signal.removeEventListener('abort', giveUp);
          done(value);
        };
      }
      if (signal.aborted) {
        this.#calls.end(id);
        reject(new CoreError('session_over', 'client', 'The request was given up.'));
        return;
      }
      signal.addEventListener('abort', giveUp, { once: true });
      this.#send(requestText(id, body, progress));
    });
  }

  notify(notification: Notification): Promise<void> {
    this.#write(notification);
    return Promise.resolve();
  }

  close(): void {
    if (this.#gone) return;
    this.#gone = new CoreError('session_over', 'gateway', 'The session is over.');
    this.#calls.failAll(this.#gone);
    this.#flows();
    this.#socket.end();
  }

  #read(chunk: Uint8Array): void {
    if (this.#gone) return;
    try {
      this.#queue.push(...this.#lines.push(chunk));
    } catch (error) {
      this.#socket.destroy();
      this.#lost(error as Error);
      return;
    }
    void this.#work();
  }

  /** One line after the other, and none while somebody is slow with what the last one brought. */
  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    try {
      for (let line = this.#queue.shift(); line && !this.#gone; line = this.#queue.shift()) {
        const slow = this.#take(line);
        if (!slow) continue;
        this.#socket.pause();
        await slow;
        this.#socket.resume();
      }
    } catch (error) {
      this.#lost(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#working = false;
    }
  }

  #take(line: Uint8Array): Promise<void> | undefined {
    let message: Message;
    try {
      message = readMessage(this.#parse(line));
    } catch {
      // Programs print what they should not; a line that is no message is none.
      this.#events.onNonsense('a line that is no message');
      return undefined;
    }
    switch (message.kind) {
      case 'request':
        this.#write(this.#events.onRequest(message));
        // One that asks and does not read its answers is not listened to.
        return this.#clogged ? this.#room() : undefined;
      case 'notification':
        return this.#notified(message);
      default: {
        const waiting = this.#calls.find(message.id);
        if (waiting && this.#calls.end(message.id)) waiting.answered(message);
        else this.#events.onNonsense('an answer that nobody waits for');
        return undefined;
      }
    }
  }

  #notified(notification: Notification): Promise<void> | undefined {
    if (notification.method !== 'notifications/progress') return this.#events.onNotification(notification);
    const token = notification.params['progressToken'];
    const waiting = this.#calls.find(typeof token === 'number' ? token : undefined);
    if (waiting) return waiting.progress(notification);
    this.#events.onNonsense('progress of a request that nobody waits for');
    return undefined;
  }

  #write(message: Message): void {
    if (!this.#gone) this.#send(writeMessage(message));
  }

  #send(text: string): void {
    if (!this.#socket.write(encode(text))) this.#clogged = true;
  }

  /** Resolves when something may be sent, the signal aborts, or nothing will be any more. */
  #room(signal?: AbortSignal): Promise<void> {
    if (!this.#clogged || this.#gone || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const go = (): void => {
        this.#waits.delete(go);
        signal?.removeEventListener('abort', go);
        resolve();
      };
      this.#waits.add(go);
      signal?.addEventListener('abort', go, { once: true });
    });
  }

  #flows(): void {
    this.#clogged = false;
    for (const go of [...this.#waits]) go();
  }

  #lost(cause: Error): void {
    if (this.#gone) return;
    this.#queue = [];
    this.#gone = new CoreError('upstream_unreachable', 'upstream', 'The target is gone.', { cause });
    this.#calls.failAll(this.#gone);
    this.#flows();
    this.#events.onLost(cause);
  }
}

/** JSON text has no line break in it: JSON.stringify escapes those in texts. */
function encode(text: string): Uint8Array {
  return Buffer.from(`${text}\n`);
}
