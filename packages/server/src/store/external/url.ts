import { readFileSync } from 'node:fs';
import type { ClientConfig } from 'pg';
import { StoreError } from '../store-error.ts';

/** A shared database's address: how to connect, and how to speak of it without its password. */
export interface StoreAddress {
  readonly client: Pick<ClientConfig, 'user' | 'password' | 'host' | 'port' | 'database' | 'ssl'>;
  /** `user@host:port/database`, for messages. */
  readonly shown: string;
  /** False when what goes there could be read or changed on the way. */
  readonly secure: boolean;
}

const modes = ['disable', 'require', 'verify-ca', 'verify-full'] as const;
type Mode = (typeof modes)[number];

/**
 * Reads `postgres://user:password@host:port/database`, with `sslmode` and `sslrootcert` as libpq means them and `host`
 * for the directory of a Unix socket. Without `sslmode` only this machine is spoken to in the clear. Throws
 * `store_misconfigured`; the message never repeats what might be a secret.
 */
export function parseStoreUrl(text: string): StoreAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:')) {
    throw misconfigured('It is not a URL of the form postgres://user:password@host:5432/database.');
  }
  const known = ['sslmode', 'sslrootcert', 'host'];
  const unknown = [...url.searchParams.keys()].find((key) => !known.includes(key));
  if (unknown !== undefined)
    throw misconfigured(`It has the unknown parameter ${unknown}; known are ${known.join(', ')}.`);
  const host = (url.searchParams.get('host') ?? decode(url.hostname)).replace(/^\[(.*)\]$/, '$1');
  const user = decode(url.username);
  const database = decode(url.pathname.slice(1));
  if (host === '') throw misconfigured('It names no host.');
  if (user === '') throw misconfigured('It names no user.');
  if (database === '' || database.includes('/')) throw misconfigured('It names no database.');
  const near = host.startsWith('/') || ['localhost', '127.0.0.1', '::1'].includes(host);
  const mode = modeOf(url.searchParams.get('sslmode') ?? (near ? 'disable' : 'verify-full'));
  const ssl = tlsOf(mode, url.searchParams.get('sslrootcert'));
  const port = url.port === '' ? 5432 : Number(url.port);
  return {
    client: { user, host, port, database, ssl, ...(url.password ? { password: decode(url.password) } : {}) },
    shown: `${user}@${host}:${port}/${database}`,
    secure: near || mode === 'verify-ca' || mode === 'verify-full',
  };
}

function modeOf(text: string): Mode {
  const mode = modes.find((name) => name === text);
  if (!mode) throw misconfigured(`Its sslmode must be one of ${modes.join(', ')}.`);
  return mode;
}

function tlsOf(mode: Mode, rootCertificate: string | null): NonNullable<ClientConfig['ssl']> {
  if (mode === 'disable') return false;
  if (mode === 'require') return { rejectUnauthorized: false };
  if (mode === 'verify-ca' && rootCertificate === null) {
    throw misconfigured('With sslmode=verify-ca it must name the certificate authority as sslrootcert.');
  }
  return {
    rejectUnauthorized: true,
    ...(rootCertificate === null ? {} : { ca: readCertificate(rootCertificate) }),
    ...(mode === 'verify-ca' ? { checkServerIdentity: () => undefined } : {}),
  };
}

function readCertificate(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw misconfigured(`Its sslrootcert ${path} can't be read (${(cause as NodeJS.ErrnoException).code}).`);
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw misconfigured('It has a percent sign that encodes nothing.');
  }
}

function misconfigured(why: string): StoreError {
  return new StoreError(
    'store_misconfigured',
    `The store's address can't be used. ${why} Special characters in a password must be percent-encoded.`,
  );
}
