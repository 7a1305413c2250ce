import type { Ledger } from '../check/ledger.ts';
import type { Way } from '../load/pgbench.ts';
import type { Database } from '../peers/database.ts';
import type { BenchGateway } from '../peers/gateway.ts';
import type { World } from './row.ts';

/** A way to the database that is measured, and what it is called in figures. */
export interface Peer {
  readonly who: string;
  readonly way: Way;
  /** Path of the authority that vouches for it, for clients that want TLS. */
  readonly ca: string;
}

export const direct = 'direct';
export const pgbouncer = 'PgBouncer';
export const sluice = 'Sluice';

/** A database, PgBouncer in front of it, the gateway in front of it, and account of what went through the gateway. */
export interface PostgresWorld extends World {
  readonly database: Database;
  readonly gateway: BenchGateway;
  readonly ledger: Ledger;
  /** Direct, PgBouncer unless it is missing, Sluice: in this order. */
  readonly peers: readonly Peer[];
  /** Folder for files of this run. */
  readonly scratch: string;
  /** A name for a client that no other has. */
  application(row: string): string;
}
