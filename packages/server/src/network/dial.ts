/** Opens sockets towards targets: the only place that does. */
import { readFile } from 'node:fs/promises';
import { connect, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import type { TlsMode, UpstreamSocket, UpstreamTls } from '@sluice/core/contract/link.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import { endPointOf } from './end-point.ts';
import { SocketLink } from './socket-link.ts';

export interface DialAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly mode: TlsMode; readonly ca?: string };
}

const connectTime = 10_000;

/** Rejects with `upstream_unreachable`; the public text names the target and not its address. */
export async function dialSocket(target: string, address: DialAddress): Promise<UpstreamSocket> {
  const socket = await opened(target, address);
  return new UpstreamLink(socket, target, address);
}

function opened(target: string, { host, port }: DialAddress): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true });
    const fail = (cause: Error): void => {
      socket.destroy();
      reject(
        new CoreError(
          'upstream_unreachable',
          'upstream',
          `The target "${target}" cannot be reached. Try again later, or tell its operator.`,
          {
            cause,
            detail: `dial ${host}:${port} failed: ${cause.message}`,
          },
        ),
      );
    };
    const timer = setTimeout(() => fail(new Error(`no answer within ${connectTime} ms`)), connectTime);
    socket.once('error', fail);
    const stopClock = (): void => clearTimeout(timer);
    socket.once('close', stopClock);
    socket.once('connect', () => {
      stopClock();
      socket.off('error', fail);
      socket.off('close', stopClock);
      resolve(socket);
    });
  });
}

class UpstreamLink extends SocketLink implements UpstreamSocket {
  readonly #target: string;
  readonly #address: DialAddress;
  #tls: TLSSocket | undefined;

  constructor(socket: Socket, target: string, address: DialAddress) {
    super(socket);
    this.#target = target;
    this.#address = address;
  }

  get secure(): boolean {
    return this.#tls !== undefined;
  }

  async startTls(options: UpstreamTls): Promise<void> {
    const settings = await tlsOptions(this.#address, options);
    const socket = this.#connect(settings);
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => socket.destroy(new Error('the TLS handshake took too long')), connectTime);
      const fail = (cause: Error): void => {
        clearTimeout(timer);
        socket.destroy();
        reject(
          new CoreError(
            'upstream_login',
            'upstream',
            `TLS to the target "${this.#target}" failed: its certificate or its settings do not fit.`,
            {
              cause,
              detail: `TLS to ${this.#address.host} failed: ${cause.message}`,
            },
          ),
        );
      };
      socket.once('error', fail);
      socket.once('close', () => fail(new Error('closed during the TLS handshake')));
      socket.once('secureConnect', () => {
        clearTimeout(timer);
        socket.removeAllListeners('error');
        socket.removeAllListeners('close');
        resolve();
      });
    });
    this.#tls = socket;
    this.attach(socket);
  }

  /** A certificate and a key that are none, or do not belong together, are found here. */
  #connect(settings: ConnectionOptions): TLSSocket {
    try {
      return connectTls({ ...settings, socket: this.detach() });
    } catch (cause) {
      this.destroy();
      throw new CoreError('upstream_login', 'gateway', 'The gateway cannot log in to the target.', {
        cause,
        detail: `target ${this.#target}: TLS cannot be set up; is its client certificate in PEM, and the key its own?`,
      });
    }
  }

  channelBinding(): Uint8Array | undefined {
    const raw = this.#tls?.getPeerCertificate().raw;
    return raw && endPointOf(raw);
  }
}

async function tlsOptions(address: DialAddress, { alpn, certificate }: UpstreamTls): Promise<ConnectionOptions> {
  const { mode, ca } = address.tls;
  const options: ConnectionOptions = {
    minVersion: 'TLSv1.2',
    rejectUnauthorized: mode === 'verify-ca' || mode === 'verify-full',
    ...(ca === undefined ? {} : { ca: await readFile(ca) }),
    // Without a server name Node would check the certificate against nothing.
    ...(isIP(address.host) ? { host: address.host } : { servername: address.host }),
    ...(alpn ? { ALPNProtocols: [...alpn] } : {}),
    ...(certificate ? { cert: certificate.chain.reveal(), key: certificate.key.reveal() } : {}),
  };
  // `verify-ca` trusts every name that the authority signed, as libpq's mode of this name does.
  return mode === 'verify-ca' ? { ...options, checkServerIdentity: () => undefined } : options;
}
