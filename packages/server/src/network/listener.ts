/**
 * Where connections come in: binds the ports that the configuration names, accepts, and hands each connection to its
 * connector as a link. With `dial.ts` it is all of the gateway that touches sockets of clients and targets. It knows no
 * protocol, reads no byte itself and does not decide who may connect.
 */
import { createServer, type Server, type Socket } from 'node:net';
import type { Log } from '@sluice/core/contract/connector.ts';
import type { ClientLink } from '@sluice/core/contract/link.ts';
import { SluiceError } from '@sluice/core/domain/error.ts';
import { AcceptedLink, type ServerTls } from './client-link.ts';

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export interface Port {
  readonly address: ListenAddress;
  /** Stops accepting; connections that are open stay. */
  close(): Promise<void>;
}

export interface Listener extends Port {
  /** Cuts what is still open. */
  destroy(): void;
}

export type ListenErrorCode = 'port_in_use' | 'port_forbidden' | 'address_unavailable';

export class ListenError extends SluiceError<ListenErrorCode> {}

/** More half-open connections than this are an attack or a mistake; the kernel's queue holds the rest. */
const maxConnections = 10_000;

/** Serves sockets as they come, from a listener of this process or from another process that accepted them. */
export class Reception {
  readonly #name: string;
  readonly #tls: ServerTls | undefined;
  readonly #log: Log;
  readonly #accept: (link: ClientLink) => Promise<void>;
  readonly #sockets = new Set<Socket>();

  constructor(name: string, tls: ServerTls | undefined, log: Log, accept: (link: ClientLink) => Promise<void>) {
    this.#name = name;
    this.#tls = tls;
    this.#log = log;
    this.#accept = accept;
  }

  get size(): number {
    return this.#sockets.size;
  }

  take(socket: Socket): void {
    if (this.#sockets.size >= maxConnections) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    const link = new AcceptedLink(socket, this.#tls);
    this.#accept(link).catch((error) => {
      this.#log.error({ listener: this.#name, remote: link.remote, err: error }, 'connection failed');
      link.destroy();
    });
  }

  /** Cuts what is still open. */
  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

export async function listen(
  wanted: ListenAddress,
  name: string,
  tls: ServerTls | undefined,
  log: Log,
  accept: (link: ClientLink) => Promise<void>,
): Promise<Listener> {
  const reception = new Reception(name, tls, log, accept);
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => reception.take(socket));
  return { ...(await started(server, wanted, name)), destroy: () => reception.destroy() };
}

/** For sockets that another process is to serve: not a byte of them is read here. */
export function listenForOthers(wanted: ListenAddress, name: string, give: (socket: Socket) => void): Promise<Port> {
  return started(createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, give), wanted, name);
}

async function started(server: Server, wanted: ListenAddress, name: string): Promise<Port> {
  server.maxConnections = maxConnections;
  const port = await bound(server, wanted, name);
  return {
    address: { host: wanted.host, port },
    close: async () => {
      server.close();
    },
  };
}

function bound(server: Server, { host, port }: ListenAddress, name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, host, port, name)));
    server.listen({ host, port, backlog: 1_024 }, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address ? address.port : port);
    });
  });
}

export function listenError(error: Error, host: string, port: number, name: string): Error {
  const where = `listen.${name} (${host}:${port})`;
  switch ((error as NodeJS.ErrnoException).code) {
    case 'EADDRINUSE':
      return new ListenError(
        'port_in_use',
        'gateway',
        `${where}: the port is in use by another program. Stop it, or choose another port; 0 takes any free one.`,
        { cause: error },
      );
    case 'EACCES':
      return new ListenError(
        'port_forbidden',
        'gateway',
        `${where}: this user may not listen there. Choose a port above 1023.`,
        { cause: error },
      );
    case 'EADDRNOTAVAIL':
      return new ListenError('address_unavailable', 'gateway', `${where}: this machine does not have that address.`, {
        cause: error,
      });
    default:
      return error;
  }
}
