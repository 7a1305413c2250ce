import type { Kysely, Transaction } from 'kysely';
import type { Tables } from './tables.ts';

/** `resync`: messages may have been missed; read anew whatever you watch. */
export type StoreNotice = { readonly kind: 'message'; readonly payload: string } | { readonly kind: 'resync' };

/** Called on the event loop, one at a time; what it throws is logged. */
export type Subscriber = (notice: StoreNotice) => void;

export type Queries = Kysely<Tables>;
export type StoreTransaction = Transaction<Tables>;

/** The gateway's own database, the same over both kinds. Every method rejects with a StoreError or the driver's error. */
export interface Store {
  readonly kind: 'embedded' | 'postgres';
  /** Never query it inside `transaction`: the embedded kind has one session, so that the two would wait for each other. */
  readonly db: Queries;
  /** Runs `work` in one transaction; commits when it resolves, rolls back when it rejects. */
  transaction<T>(work: (trx: StoreTransaction) => Promise<T>): Promise<T>;
  /** Resolves with the function that unsubscribes, once nothing sent from now on can be missed. */
  subscribe(channel: string, subscriber: Subscriber): Promise<() => Promise<void>>;
  /** Tells every gateway, this one too. Inside `trx` it is sent when that commits, and not if it rolls back. */
  notify(channel: string, payload: string, trx?: StoreTransaction): Promise<void>;
  /** Rejects when the database does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}
