import { Buffer } from 'node:buffer';
import type { Connection, ServerChannel } from 'ssh2';
import type { LinkDuplex } from '../../wire/duplex.ts';
import { packetsWaiting, roomOf } from '../transport/wire.ts';

/** Bytes that may wait in the connection's own buffer, packets that may wait for a key exchange, bytes per packet. */
const most = { buffered: 1024 * 1024, packets: 64, packet: 32 * 1024, queued: 256 * 1024 };

/** Whether a whole connection can take more; all channels share it. */
export class Pace {
  readonly #connection: Connection;
  readonly #stream: LinkDuplex;
  readonly #waiting = new Set<() => void>();

  constructor(connection: Connection, stream: LinkDuplex) {
    this.#connection = connection;
    this.#stream = stream;
    stream.on('drain', () => this.changed());
    connection.on('rekey', () => this.changed());
  }

  get clear(): boolean {
    return this.#stream.writableLength < most.buffered && packetsWaiting(this.#connection) < most.packets;
  }

  /** Something may go now that could not before. */
  changed(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  watch(wake: () => void): () => void {
    this.#waiting.add(wake);
    return () => this.#waiting.delete(wake);
  }
}

/**
 * Everything a client's channel is given, in order, and never more at once than its window and the connection take: the
 * library would keep any amount, and mixes up output with error output when both wait for the window.
 */
export class ClientSink {
  readonly #stream: ServerChannel;
  readonly #pace: Pace;
  readonly #queue: { readonly bytes: Buffer; readonly error: boolean }[] = [];
  #queued = 0;
  #onRoom: () => void = () => {};
  #full = false;
  #end: (() => void) | undefined;
  #closed = false;
  readonly #unwatch: () => void;

  constructor(stream: ServerChannel, pace: Pace) {
    this.#stream = stream;
    this.#pace = pace;
    this.#unwatch = pace.watch(() => this.#pump());
  }

  /** False: wait for `onRoom`. */
  write(bytes: Uint8Array, error: boolean): boolean {
    if (this.#closed || this.#end || bytes.length === 0) return true;
    this.#queue.push({ bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), error });
    this.#queued += bytes.length;
    this.#pump();
    this.#full = this.#queued > most.queued;
    return !this.#full;
  }

  onRoom(callback: () => void): void {
    this.#onRoom = callback;
  }

  /** After all that was written: how the program ended, and the end of the channel. */
  finish(exit: (stream: ServerChannel) => void): void {
    if (this.#closed || this.#end) return;
    this.#end = () => exit(this.#stream);
    this.#pump();
  }

  /** The client's side is gone, or nothing more is to be said. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#queue.length = 0;
    this.#queued = 0;
    this.#unwatch();
    // Whoever waits for room must not wait for ever.
    this.#release();
  }

  #pump(): void {
    while (!this.#closed) {
      const next = this.#queue[0];
      if (!next) break;
      const { window, packet, open } = roomOf(this.#stream);
      if (!open) {
        this.close();
        return;
      }
      const size = Math.min(window, packet, most.packet, next.bytes.length);
      if (size === 0 || !this.#pace.clear) break;
      (next.error ? this.#stream.stderr : this.#stream).write(next.bytes.subarray(0, size));
      this.#queued -= size;
      if (size === next.bytes.length) this.#queue.shift();
      else this.#queue[0] = { bytes: next.bytes.subarray(size), error: next.error };
    }
    if (this.#closed) return;
    if (this.#full && this.#queued <= most.queued / 2) this.#release();
    const end = this.#end;
    if (end && this.#queue.length === 0) {
      end();
      this.#stream.end();
      this.close();
    }
  }

  #release(): void {
    this.#full = false;
    this.#onRoom();
  }
}
