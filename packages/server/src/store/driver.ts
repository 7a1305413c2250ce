import type { Log } from '@sluice/core/contract/connector.ts';
import { type Kysely, Kysely as KyselyDatabase, PostgresDialect, type PostgresPool, sql } from 'kysely';
import pg from 'pg';
import { schemaName } from './migrations.ts';
import type { Queries, Store, StoreTransaction } from './store-port.ts';
import { checkedChannel, checkedPayload } from './subscriptions.ts';
import type { Tables } from './tables.ts';

const int8 = 20;

/** `bigint` columns hold times in milliseconds, which a JavaScript number holds exactly. */
export const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === int8 ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

/**
 * Errors of a pool's connections, idle or in use: the driver throws those that nobody listens to, and that would end
 * the process. Whoever uses the connection learns of it from the query that fails.
 */
export function surviveErrors(pool: pg.Pool, log: Log, message: string): void {
  pool.on('error', (error) => log.warn({ error: error.message }, message));
  pool.on('connect', (client) => client.on('error', () => {}));
}

/** The unqualified database, for migrations; `queries` is what everything else uses. */
export function openDatabase(pool: PostgresPool): Kysely<Tables> {
  return new KyselyDatabase<Tables>({ dialect: new PostgresDialect({ pool }) });
}

/** The part of a store that is the same over both kinds. */
export function queriesOver(database: Kysely<Tables>): Pick<Store, 'db' | 'transaction' | 'notify' | 'ping'> {
  const db: Queries = database.withSchema(schemaName);
  return {
    db,
    transaction: (work) =>
      database.transaction().execute((trx) => work(trx.withSchema(schemaName) as StoreTransaction)),
    async notify(channel, payload, trx) {
      await sql`select pg_notify(${checkedChannel(channel)}, ${checkedPayload(payload)})`.execute(trx ?? db);
    },
    async ping() {
      await sql`select 1`.execute(db);
    },
  };
}
