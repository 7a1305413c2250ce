import type { Redacted } from '../domain/redacted.ts';
import type { TlsMode, UpstreamSocket } from './link.ts';

/** What the gateway logs in with; the client never sees any of it. */
export interface UpstreamCredential {
  readonly username: string;
  /** By the key the connector declared: `password`, `private_key`, … */
  readonly secrets: Readonly<Record<string, Redacted>>;
}

/** A target as its connector needs it to log in: connector-specific settings are strings from the configuration. */
export interface UpstreamAccess {
  readonly socket: UpstreamSocket;
  readonly tls: TlsMode;
  readonly credential: UpstreamCredential;
  /** E.g. `database` for a database server. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Dials a target for the gateway's own use (reading a catalog, passing a cancel on); never for a client's units. */
export type DialAside = (targetName: string) => Promise<UpstreamAccess>;
