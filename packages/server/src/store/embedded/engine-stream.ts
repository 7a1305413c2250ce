import { Duplex } from 'node:stream';
import type { Engine } from './engine.ts';

/** What `pg` asks of the socket it is given; without TLS, delays and keep-alive there is nothing to do. */
interface SocketLike {
  connect(): this;
  setNoDelay(): this;
  setKeepAlive(): this;
  ref(): this;
  unref(): this;
}

type Executor = Pick<Engine, 'execute' | 'whenLost'>;

/**
 * The "socket" over which `pg` speaks to the embedded engine. The engine wants whole messages, in batches that end
 * where the server says ReadyForQuery (PostgreSQL protocol 3.0, "Message Flow"): a query or a Sync.
 */
export class EngineStream extends Duplex implements SocketLike {
  readonly #engine: () => Promise<Executor>;
  #engineHere: Executor | undefined;
  #pending: Buffer = Buffer.alloc(0);
  #started = false;

  constructor(engine: () => Promise<Executor>) {
    super({ allowHalfOpen: false });
    this.#engine = engine;
  }

  connect(): this {
    this.#connect().then(
      () => this.emit('connect'),
      (error: unknown) => this.destroy(error instanceof Error ? error : new Error(String(error))),
    );
    return this;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    try {
      for (let end = this.#batchEnd(); end > 0; end = this.#batchEnd()) {
        // A copy of its own: the driver reuses its buffers.
        this.#run(Uint8Array.from(this.#pending.subarray(0, end)));
        this.#pending = this.#pending.subarray(end);
        this.#started = true;
      }
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    // What stays behind must not share the driver's buffer either.
    this.#pending = Buffer.from(this.#pending);
    done();
  }

  override _final(done: (error?: Error | null) => void): void {
    this.push(null);
    done();
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  /** There is one session behind all streams that ever come: whatever an earlier one left in it ends here. */
  async #connect(): Promise<void> {
    const engine = await this.#engine();
    await engine.execute(query('rollback'));
    await engine.execute(query('discard all'));
    this.#engineHere = engine;
    // Also while nothing is asked: an engine that gave up may owe the driver the end of its last answer.
    engine.whenLost((error) => this.destroy(error));
  }

  #run(batch: Uint8Array): void {
    const terminate = this.#started && batch[0] === code('X');
    if (terminate || !this.#engineHere) return;
    this.#engineHere.execute(batch).then(
      (answer) => {
        if (!this.destroyed && !this.readableEnded && answer.length > 0) this.push(answer);
      },
      (error: Error) => this.destroy(error),
    );
  }

  /** Length of the first batch that is whole, else 0. */
  #batchEnd(): number {
    const bytes = this.#pending;
    // The startup packet alone has no type byte.
    if (!this.#started) {
      const length = bytes.length < 4 ? 0 : lengthAt(bytes, 0, 8);
      return length <= bytes.length ? length : 0;
    }
    for (let at = 0; at + 5 <= bytes.length; ) {
      const end = at + 1 + lengthAt(bytes, at + 1, 4);
      if (end > bytes.length) return 0;
      if (bytes[at] === code('Q') || bytes[at] === code('S') || bytes[at] === code('X')) return end;
      at = end;
    }
    return 0;
  }
}

/** A length counts itself, so that none is smaller than its own four bytes (PostgreSQL protocol 3.0, "Message Formats"). */
function lengthAt(bytes: Buffer, at: number, least: number): number {
  const length = bytes.readInt32BE(at);
  if (length < least) throw new Error('The driver wrote a message whose length is too small.');
  return length;
}

function query(text: string): Uint8Array {
  const message = Buffer.from(`Q\0\0\0\0${text}\0`, 'latin1');
  message.writeInt32BE(message.length - 1, 1);
  return Uint8Array.from(message);
}

function code(letter: string): number {
  return letter.charCodeAt(0);
}
