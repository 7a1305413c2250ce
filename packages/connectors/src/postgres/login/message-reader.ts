/**
 * Reads a connection one message at a time while two sides are still getting to know each other; afterwards the
 * streaming decoders take over. Bounded in bytes; whoever uses it bounds the time.
 */
import type { Link } from '@sluice/core/contract/link.ts';
import { CoreError, type ErrorSource } from '@sluice/core/domain/error.ts';
import { readStartup, type StartupPacket } from '../protocol/startup.ts';

export interface Message {
  readonly type: number;
  /** Type, length and body. */
  readonly frame: Buffer;
}

export class MessageReader {
  readonly #source: ErrorSource;
  readonly #maxMessage: number;
  #bytes: Buffer;
  #failure: Error | undefined;
  #wake: (() => void) | undefined;
  #left = false;
  #flooded = false;
  /** Resolves when the connection is closed, or can't be used any more. */
  readonly gone: Promise<void>;

  /** `source` names whose fault a malformed message is; `early` is what already arrived. */
  constructor(link: Link, source: 'client' | 'upstream', maxMessage: number, early: Buffer = Buffer.alloc(0)) {
    this.#bytes = early;
    let gone: () => void = () => {};
    this.gone = new Promise((resolve) => {
      gone = resolve;
    });
    this.#source = source;
    this.#maxMessage = maxMessage;
    link.onData((chunk) => {
      // Nobody reads what follows a failure; it must not pile up until the connection is closed.
      if (this.#failure) return;
      this.#bytes = this.#bytes.length === 0 ? Buffer.from(chunk) : Buffer.concat([this.#bytes, chunk]);
      if (this.#bytes.length > 4 * this.#maxMessage) {
        // Here nobody would catch an error: it is for whoever reads next, and for a login that waits for consent.
        this.#failure = this.#failureOf('sent more than a login needs');
        this.#bytes = Buffer.alloc(0);
        this.#flooded = true;
        gone();
      }
      this.#wake?.();
    });
    link.onClose((error) => {
      this.#failure ??= new CoreError(
        source === 'client' ? 'client_protocol' : 'upstream_unreachable',
        source,
        `The ${source === 'client' ? 'client' : 'database'} closed the connection.`,
        { cause: error },
      );
      this.#wake?.();
      gone();
    });
  }

  /** Takes whatever has arrived, unread. */
  take(): Buffer {
    const rest = this.#bytes;
    this.#bytes = Buffer.alloc(0);
    // An empty part of what arrived would keep all of it, as long as the session.
    return rest.length === 0 ? this.#bytes : rest;
  }

  /** Bytes that came after the last message taken; call it when the streaming decoders take over. */
  leave(): Buffer {
    // What came was dropped: a conversation cannot begin in the middle.
    if (this.#flooded && this.#failure) throw this.#failure;
    this.#left = true;
    return this.take();
  }

  get buffered(): number {
    return this.#bytes.length;
  }

  async startup(): Promise<StartupPacket> {
    for (;;) {
      const read = this.#guard(() => readStartup(this.#bytes));
      if (read) {
        this.#bytes = this.#bytes.subarray(read.length);
        return read.packet;
      }
      await this.#more();
    }
  }

  /** One byte without a message around it: the server's answer to SSLRequest. */
  async byte(): Promise<number> {
    while (this.#bytes.length === 0) await this.#more();
    const value = this.#bytes[0] ?? 0;
    this.#bytes = this.#bytes.subarray(1);
    return value;
  }

  /** The first bytes, left in place. */
  async peek(): Promise<number> {
    while (this.#bytes.length === 0) await this.#more();
    return this.#bytes[0] ?? 0;
  }

  async message(): Promise<Message> {
    for (;;) {
      if (this.#bytes.length >= 5) {
        const length = this.#bytes.readInt32BE(1);
        if (length < 4 || length > this.#maxMessage) this.#fail(`sent a message that claims ${length} bytes`);
        if (this.#bytes.length >= 1 + length) {
          const frame = this.#bytes.subarray(0, 1 + length);
          this.#bytes = this.#bytes.subarray(1 + length);
          return { type: frame[0] ?? 0, frame };
        }
      }
      await this.#more();
    }
  }

  #guard<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      if (error instanceof RangeError) this.#fail(error.message);
      throw error;
    }
  }

  #fail(what: string): never {
    this.#failure = this.#failureOf(what);
    throw this.#failure;
  }

  #failureOf(what: string): CoreError {
    const who = this.#source === 'client' ? 'client' : 'database';
    const code = this.#source === 'client' ? 'client_protocol' : 'upstream_protocol';
    return new CoreError(code, this.#source, `The ${who} does not speak the PostgreSQL protocol: it ${what}.`);
  }

  async #more(): Promise<void> {
    if (this.#failure) throw this.#failure;
    if (this.#left) throw new CoreError('internal', 'gateway', 'The login is over.');
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
    if (this.#failure) throw this.#failure;
  }
}
