/**
 * Worker processes: how the gateway starts and watches them, and how the port between control plane and data plane
 * crosses from one process to the other. It decides nothing, keeps nothing that outlives a worker, and knows no
 * protocol; what a worker does with connections is the data plane's business.
 */
import type { Socket } from 'node:net';
import type { Log } from '@sluice/core/contract/connector.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import { errorFrom, type ToldError, toldError } from './told-error.ts';

/** What may be asked of one side: plain data in, plain data or a promise of it out. */
export type Calls = { readonly [name: string]: (...args: never[]) => unknown };

/** This process's end of the channel that Node opens between a process and a forked one. */
export interface ChannelEnd {
  send(message: Message, socket: Socket | undefined, sent: (error: Error | null) => void): void;
  onMessage(callback: (message: Message, socket: Socket | undefined) => void): void;
  /** Called once, after the last message. */
  onClosed(callback: () => void): void;
}

export type Message =
  | { readonly kind: 'call'; readonly id: number; readonly name: string; readonly args: readonly unknown[] }
  | { readonly kind: 'post'; readonly name: string; readonly args: readonly unknown[] }
  | { readonly kind: 'done'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly error: ToldError }
  /** A connection, as a handle beside the message. */
  | { readonly kind: 'connection'; readonly listener: string };

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Beyond this the other side has stopped answering. */
const mostWaiting = 50_000;

/** Calls in both directions, in order. `Theirs` is what the other side does, `Ours` what it may ask of this one. */
export class Channel<Theirs extends Calls, Ours extends Calls> {
  readonly #end: ChannelEnd;
  readonly #log: Log;
  readonly #waiting = new Map<number, Waiting>();
  #ours: Ours | undefined;
  #connected: (listener: string, socket: Socket) => void = (_listener, socket) => socket.destroy();
  #next = 0;
  #handing = 0;
  #closed = false;

  constructor(end: ChannelEnd, log: Log) {
    this.#end = end;
    this.#log = log;
    end.onMessage((message, socket) => this.#take(message, socket));
    end.onClosed(() => this.#close());
  }

  /** Nothing else than these can be asked for. */
  serve(ours: Ours): void {
    this.#ours = ours;
  }

  onConnection(callback: (listener: string, socket: Socket) => void): void {
    this.#connected = callback;
  }

  /** Rejects as the other side does, and with `stopping` when it is gone. */
  call<Name extends keyof Theirs & string>(
    name: Name,
    ...args: Parameters<Theirs[Name]>
  ): Promise<Awaited<ReturnType<Theirs[Name]>>> {
    if (this.#closed) return Promise.reject(gone());
    if (this.#waiting.size >= mostWaiting) {
      const detail = `${mostWaiting} calls wait for an answer of the other process`;
      return Promise.reject(new CoreError('internal', 'gateway', 'The gateway is overloaded. Try again.', { detail }));
    }
    const id = this.#next++;
    return new Promise<unknown>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#send({ kind: 'call', id, name, args });
    }) as Promise<Awaited<ReturnType<Theirs[Name]>>>;
  }

  /** Without an answer; what goes wrong with it is logged at the other side. Nothing happens when that is gone. */
  post<Name extends keyof Theirs & string>(name: Name, ...args: Parameters<Theirs[Name]>): void {
    if (!this.#closed) this.#send({ kind: 'post', name, args });
  }

  /** Connections that are not yet on their way: the other side takes them one by one. */
  get handing(): number {
    return this.#handing;
  }

  /** The socket is closed here, whatever becomes of it there. */
  hand(listener: string, socket: Socket): void {
    if (this.#closed) {
      socket.destroy();
      return;
    }
    this.#handing++;
    this.#send({ kind: 'connection', listener }, socket);
  }

  #send(message: Message, socket?: Socket): void {
    this.#end.send(message, socket, (error) => {
      if (message.kind === 'connection') this.#handing--;
      if (!error) return;
      socket?.destroy();
      if (message.kind !== 'call') return;
      this.#waiting.get(message.id)?.reject(gone(error));
      this.#waiting.delete(message.id);
    });
  }

  #take(message: Message, socket: Socket | undefined): void {
    switch (message.kind) {
      case 'connection':
        // It may have closed on the way.
        if (socket) this.#connected(message.listener, socket);
        break;
      case 'post':
        this.#run(message.name, message.args).catch((err) =>
          this.#log.error({ what: message.name, err }, 'what another process of the gateway told could not be taken'),
        );
        break;
      case 'call':
        this.#run(message.name, message.args).then(
          (value) => this.#answer({ kind: 'done', id: message.id, value }),
          (error) => this.#answer({ kind: 'failed', id: message.id, error: toldError(error) }),
        );
        break;
      case 'done':
        this.#waiting.get(message.id)?.resolve(message.value);
        this.#waiting.delete(message.id);
        break;
      case 'failed':
        this.#waiting.get(message.id)?.reject(errorFrom(message.error));
        this.#waiting.delete(message.id);
        break;
    }
  }

  /** Runs up to its first wait before it returns, so that posts and calls take effect in the order they came. */
  async #run(name: string, args: readonly unknown[]): Promise<unknown> {
    const ours = this.#ours;
    if (!ours || !Object.hasOwn(ours, name)) throw new Error(`nothing is called ${name} here`);
    return await ours[name]?.(...(args as never[]));
  }

  #answer(message: Message): void {
    if (!this.#closed) this.#send(message);
  }

  #close(): void {
    this.#closed = true;
    for (const { reject } of this.#waiting.values()) reject(gone());
    this.#waiting.clear();
  }
}

function gone(cause?: unknown): CoreError {
  const detail = 'the other process of the gateway is gone';
  return new CoreError('stopping', 'gateway', 'The gateway is stopping.', { detail, cause });
}
