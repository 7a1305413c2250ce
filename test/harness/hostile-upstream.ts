// Fakes of a PostgreSQL server that lies: the one thing of which no real one can be had. Either a script plays the whole
// server on each connection, or a relay in front of a real server answers single statements with bytes of the test's.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface HostileUpstream {
  readonly host: '127.0.0.1';
  readonly port: number;
  /** Connections that were accepted so far. */
  readonly accepted: () => number;
  stop(): Promise<void>;
}

/** What the fake says on one connection, from the first byte on. */
export type Script = (peer: Peer) => unknown;

export function createScriptedUpstream(script: Script): Promise<HostileUpstream> {
  return listening((socket) => {
    const peer = new Peer(socket);
    void Promise.resolve(script(peer)).catch((error) => {
      // Whoever was lied to may hang up at any point; anything else is a mistake in the script.
      if (!(error instanceof Gone)) throw error;
    });
  });
}

/** What is said instead of the server's answer; a script may go on to do more, e.g. close. */
export type Lie = Uint8Array | ((socket: Socket) => unknown);

/**
 * Relays to a real server, and answers a Query whose text holds `lie:<name>` by itself; one that it `swallows` gets no
 * answer at all. Everything else (logins, the gateway's own questions, other statements) is true.
 */
export function createLyingRelay(
  genuine: { readonly host: string; readonly port: number },
  lies: Readonly<Record<string, Lie>>,
  swallows: (query: string) => boolean = () => false,
): Promise<HostileUpstream> {
  return listening((socket) => {
    const server = connect({ host: genuine.host, port: genuine.port, noDelay: true });
    server.on('error', () => {});
    server.on('close', () => socket.destroy());
    socket.on('close', () => server.destroy());
    server.pipe(socket);
    let startup = true;
    let bytes: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      for (;;) {
        const head = startup ? 0 : 1;
        if (bytes.length < head + 4) return;
        const end = head + bytes.readInt32BE(head);
        if (bytes.length < end) return;
        const frame = bytes.subarray(0, end);
        bytes = bytes.subarray(end);
        const name = startup ? undefined : /lie:([a-z0-9-]+)/.exec(frame.toString('latin1'))?.[1];
        const silent = !startup && frame[0] === 0x51 && swallows(frame.toString('utf8', 5));
        startup = false;
        const lie = name === undefined || frame[0] !== 0x51 ? undefined : lies[name];
        if (silent) continue;
        if (lie === undefined) server.write(frame);
        else if (typeof lie === 'function') lie(socket);
        else socket.write(lie);
      }
    });
  });
}

class Gone extends Error {}

/** The other side of one scripted connection. */
export class Peer {
  readonly socket: Socket;
  #bytes: Buffer = Buffer.alloc(0);
  #closed = false;
  #wake: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#wake();
    });
    socket.on('close', () => {
      this.#closed = true;
      this.#wake();
    });
  }

  /** A startup packet's body: version, then the parameters. */
  async startup(): Promise<Buffer> {
    const length = (await this.#take(4)).readInt32BE(0);
    return this.#take(length - 4);
  }

  /** Body of the next message. */
  async message(): Promise<Buffer> {
    const head = await this.#take(5);
    return this.#take(head.readInt32BE(1) - 4);
  }

  send(...parts: readonly Uint8Array[]): void {
    if (!this.#closed) this.socket.write(Buffer.concat(parts));
  }

  /** Repeats it until the other side hangs up, as fast as that reads. */
  async flood(bytes: Uint8Array): Promise<void> {
    while (!this.#closed) {
      if (this.socket.write(bytes)) await new Promise((resolve) => setImmediate(resolve));
      else await Promise.race([once(this.socket, 'drain'), once(this.socket, 'close')]).catch(() => {});
    }
  }

  end(): void {
    this.socket.end();
  }

  async #take(length: number): Promise<Buffer> {
    while (this.#bytes.length < length) {
      if (this.#closed) throw new Gone('the other side hung up');
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const taken = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return taken;
  }
}

async function listening(accept: (socket: Socket) => void): Promise<HostileUpstream> {
  const sockets = new Set<Socket>();
  let accepted = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    accepted++;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    accept(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    accepted: () => accepted,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
