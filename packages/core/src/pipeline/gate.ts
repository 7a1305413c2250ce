import type { UpstreamSocket, UpstreamTls } from '../contract/link.ts';
import type { UpstreamAccess } from '../contract/upstream.ts';
import { CoreError } from '../domain/error.ts';

/**
 * Puts a gate into the upstream socket: until `close` the connector may write to log in; afterwards its writes throw,
 * and only the session writes, with bytes that came out of permits.
 */
export class Gate {
  /** As the connector has it. */
  readonly access: UpstreamAccess;
  readonly #socket: UpstreamSocket;
  readonly #gated: GatedSocket;

  constructor(access: UpstreamAccess) {
    this.#socket = access.socket;
    this.#gated = new GatedSocket(access.socket);
    this.access = { ...access, socket: this.#gated };
  }

  close(): void {
    this.#gated.shut();
  }

  write(parts: readonly Uint8Array[]): boolean {
    const socket = this.#socket;
    if (parts.length === 1 && parts[0]) return socket.write(parts[0]);
    let flowing = true;
    socket.cork();
    for (const part of parts) flowing = socket.write(part);
    socket.uncork();
    return flowing;
  }

  destroy(): void {
    this.#socket.destroy();
  }
}

class GatedSocket implements UpstreamSocket {
  readonly remote: string;
  readonly loopback: boolean;
  readonly #socket: UpstreamSocket;
  #shut = false;

  constructor(socket: UpstreamSocket) {
    this.#socket = socket;
    this.remote = socket.remote;
    this.loopback = socket.loopback;
  }

  /** For good. */
  shut(): void {
    this.#shut = true;
  }

  get secure(): boolean {
    return this.#socket.secure;
  }

  write(bytes: Uint8Array): boolean {
    if (this.#shut) {
      throw new CoreError('permit_spent', 'gateway', 'The gateway refused to send something it had not decided.');
    }
    return this.#socket.write(bytes);
  }

  onData(callback: (chunk: Uint8Array) => void): void {
    this.#socket.onData(callback);
  }

  onClose(callback: (error?: Error) => void): void {
    this.#socket.onClose(callback);
  }

  onDrain(callback: () => void): void {
    this.#socket.onDrain(callback);
  }

  cork(): void {
    this.#socket.cork();
  }

  uncork(): void {
    this.#socket.uncork();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  startTls(options: UpstreamTls): Promise<void> {
    return this.#socket.startTls(options);
  }

  channelBinding(): Uint8Array | undefined {
    return this.#socket.channelBinding();
  }
}
