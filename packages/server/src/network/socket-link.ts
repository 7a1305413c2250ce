import type { Socket } from 'node:net';
import type { Link } from '@sluice/core/contract/link.ts';

/** A Node socket as a connector sees it. The socket below may be exchanged once, when TLS takes over. */
export abstract class SocketLink implements Link {
  readonly remote: string;
  readonly loopback: boolean;
  protected socket: Socket;
  #onData: (chunk: Uint8Array) => void = () => {};
  #onClose: (error?: Error) => void = () => {};
  #onDrain: () => void = () => {};
  #error: Error | undefined;
  #closed = false;
  #reading = false;
  #paused = false;

  constructor(socket: Socket) {
    this.socket = socket;
    this.remote = `${socket.remoteAddress ?? '?'}:${socket.remotePort ?? 0}`;
    this.loopback = isLoopback(socket.remoteAddress) && isLoopback(socket.localAddress);
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    socket.pause();
    this.#listen(socket);
  }

  abstract get secure(): boolean;

  onData(callback: (chunk: Uint8Array) => void): void {
    this.#onData = callback;
    this.#reading = true;
    if (!this.#paused) this.socket.resume();
  }

  onClose(callback: (error?: Error) => void): void {
    this.#onClose = callback;
    if (this.#closed) queueMicrotask(() => callback(this.#error));
  }

  onDrain(callback: () => void): void {
    this.#onDrain = callback;
  }

  write(bytes: Uint8Array): boolean {
    if (this.socket.destroyed || this.socket.writableEnded) return true;
    return this.socket.write(bytes);
  }

  get sent(): boolean {
    // Node takes off what the operating system took at once, before `write` returns.
    return this.socket.writableLength === 0;
  }

  cork(): void {
    this.socket.cork();
  }

  uncork(): void {
    this.socket.uncork();
  }

  pause(): void {
    this.#paused = true;
    this.socket.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#reading) this.socket.resume();
  }

  end(): void {
    this.socket.end();
    // The other side may never close: what was written has this long to be read.
    const timer = setTimeout(() => this.socket.destroy(), 5_000);
    timer.unref();
    this.socket.once('close', () => clearTimeout(timer));
    this.socket.resume();
  }

  destroy(): void {
    this.socket.destroy();
  }

  /** Takes the plain socket away from its listeners, so that TLS can read it. */
  protected detach(): Socket {
    const { socket } = this;
    socket.removeAllListeners('data');
    socket.removeAllListeners('close');
    socket.removeAllListeners('drain');
    socket.pause();
    return socket;
  }

  protected attach(socket: Socket): void {
    this.socket = socket;
    this.#listen(socket);
    if (this.#reading && !this.#paused) socket.resume();
  }

  #listen(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('drain', () => this.#onDrain());
    socket.on('error', (error) => {
      this.#error ??= error;
    });
    socket.on('end', () => socket.end());
    socket.on('close', () => {
      if (this.#closed) return;
      this.#closed = true;
      this.#onClose(this.#error);
    });
    socket.pause();
  }
}

export function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false;
  return address === '::1' || /^(::ffff:)?127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address);
}
