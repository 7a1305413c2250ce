/**
 * Carries bytes between two sockets and may do it badly: in pieces, not at all for a while, until it is cut. It knows
 * nothing of what it carries.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { Address } from './adapter.ts';

export interface Relay extends Address {
  /** Bytes from the far side that were taken from it so far. */
  readonly taken: () => number;
  /** Bytes go to the far side in pieces of these sizes, over and over; as they come if there are none. */
  pieces(sizes: readonly number[]): void;
  /** Stops taking from the far side, or goes on. */
  stall(stalled: boolean): void;
  /** Called with bytes for the far side at the moment they come. */
  watch(callback: ((bytes: Buffer) => void) | undefined): void;
  /** Ends all connections without a word; while `gone`, new ones too. */
  cut(gone: boolean): void;
  stop(): Promise<void>;
}

export async function createRelay(far: Address): Promise<Relay> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let sizes: readonly number[] = [];
  let gone = false;
  let stalled = false;
  let taken = 0;
  let watcher: ((bytes: Buffer) => void) | undefined;

  const server = createServer({ noDelay: true }, (near) => {
    near.on('error', () => {});
    if (gone) {
      near.destroy();
      return;
    }
    const other = connect({ ...far, noDelay: true });
    other.on('error', () => {});
    const pair = [near, other] as const;
    pairs.add(pair);
    let sending = Promise.resolve();
    near.on('data', (bytes) => {
      watcher?.(bytes);
      near.pause();
      sending = sending.then(() => sendPieces(other, bytes, sizes)).then(() => void near.resume());
    });
    near.on('close', () => {
      pairs.delete(pair);
      // What was sent before the end arrives before the end.
      void sending.then(() => other.destroySoon());
    });
    other.on('data', (bytes) => {
      taken += bytes.length;
      if (!near.write(bytes)) {
        other.pause();
        near.once('drain', () => stalled || other.resume());
      }
    });
    other.on('close', () => near.end());
    if (stalled) other.pause();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const destroyAll = (): void => {
    for (const [near, other] of pairs) {
      near.destroy();
      other.destroy();
    }
  };
  return {
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    taken: () => taken,
    pieces: (wanted) => {
      sizes = wanted;
    },
    stall: (wanted) => {
      stalled = wanted;
      for (const [, other] of pairs) wanted ? other.pause() : other.resume();
    },
    watch: (callback) => {
      watcher = callback;
    },
    cut: (stays) => {
      gone = stays;
      destroyAll();
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        destroyAll();
      }),
  };
}

async function sendPieces(socket: Socket, bytes: Buffer, sizes: readonly number[]): Promise<void> {
  if (sizes.length === 0) {
    if (!socket.write(bytes)) await Promise.race([once(socket, 'drain'), once(socket, 'close')]).catch(() => undefined);
    return;
  }
  for (let at = 0, piece = 0; at < bytes.length; piece++) {
    const end = at + (sizes[piece % sizes.length] ?? 1);
    socket.write(bytes.subarray(at, end));
    at = end;
    // The other side's turn, so that it reads this piece by itself.
    await new Promise((resolve) => setImmediate(resolve));
  }
}
