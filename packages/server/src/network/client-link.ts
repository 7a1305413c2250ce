import { X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import type { ClientLink } from '@sluice/core/contract/link.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import { endPointOf } from './end-point.ts';
import { SocketLink } from './socket-link.ts';

/** The gateway's own certificate, ready to be used. */
export interface ServerTls {
  readonly context: SecureContext;
  readonly endPoint: Uint8Array | undefined;
}

/** Throws when certificate and key are unreadable or do not belong together. */
export function serverTls(cert: Buffer, key: Buffer): ServerTls {
  const certificate = new X509Certificate(cert);
  return {
    context: createSecureContext({ cert, key, minVersion: 'TLSv1.2' }),
    endPoint: endPointOf(certificate.raw),
  };
}

export class AcceptedLink extends SocketLink implements ClientLink {
  readonly #server: ServerTls | undefined;
  #tls: TLSSocket | undefined;

  constructor(socket: Socket, server: ServerTls | undefined) {
    super(socket);
    this.#server = server;
  }

  get canTls(): boolean {
    return this.#server !== undefined;
  }

  get secure(): boolean {
    return this.#tls !== undefined;
  }

  async startTls(options: {
    readonly alpn?: readonly string[];
    readonly alpnOptional?: true;
    readonly unread?: Uint8Array;
  }): Promise<void> {
    if (!this.#server) throw new CoreError('client_protocol', 'client', 'TLS is not configured on this gateway.');
    const plain = this.detach();
    if (options.unread?.length) plain.unshift(Buffer.from(options.unread));
    const required = options.unread !== undefined && !options.alpnOptional;
    const socket = new TLSSocket(plain, {
      isServer: true,
      secureContext: this.#server.context,
      ...(options.alpn ? { ALPNProtocols: [...options.alpn] } : {}),
    });
    await new Promise<void>((resolve, reject) => {
      const fail = (cause?: Error): void => {
        socket.destroy();
        reject(new CoreError('client_protocol', 'client', 'The TLS handshake failed.', { cause }));
      };
      socket.once('error', fail);
      socket.once('close', () => fail());
      socket.once('secure', () => {
        socket.removeAllListeners('error');
        socket.removeAllListeners('close');
        resolve();
      });
    });
    if (required && options.alpn && !options.alpn.includes(String(socket.alpnProtocol))) {
      socket.destroy();
      throw new CoreError('client_protocol', 'client', 'Direct TLS needs the protocol to be negotiated (ALPN).');
    }
    this.#tls = socket;
    this.attach(socket);
  }

  channelBinding(): Uint8Array | undefined {
    return this.#tls ? this.#server?.endPoint : undefined;
  }
}
