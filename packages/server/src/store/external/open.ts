/**
 * The store that several gateways share: any PostgreSQL, by its URL. It comes back by itself after a loss; what was
 * asked meanwhile fails, it is not kept. It is not a target: nothing a client sends ever goes here as it is.
 */
import type { Log } from '@sluice/core/contract/connector.ts';
import pg from 'pg';
import { openDatabase, queriesOver, surviveErrors, types } from '../driver.ts';
import { migrate } from '../migrate.ts';
import type { Store } from '../store-port.ts';
import { checkedChannel, Subscriptions } from '../subscriptions.ts';
import { explainFailure } from './failure.ts';
import { Listener } from './listener.ts';
import { withoutHungConnections } from './pool.ts';
import { parseStoreUrl } from './url.ts';

/** How long the server may take, in milliseconds. */
export interface Patience {
  readonly connect: number;
  readonly query: number;
}

/** Rejects with a StoreError for the operator: unreachable, refused, misconfigured, or migrated by a newer version. */
export async function openExternal(
  url: string,
  log: Log,
  patience: Patience = { connect: 10_000, query: 30_000 },
): Promise<Store> {
  const address = parseStoreUrl(url);
  if (!address.secure) {
    log.warn({ store: address.shown }, 'the connection to the store is not protected; use sslmode=verify-full');
  }
  const config: pg.ClientConfig = {
    ...address.client,
    types,
    application_name: 'sluice',
    connectionTimeoutMillis: patience.connect,
    // The server is to give up first, and says why. One that hangs, or a network that swallows, must end in an error too.
    statement_timeout: patience.query,
    query_timeout: patience.query + 2_000,
    idle_in_transaction_session_timeout: 60_000,
    keepAlive: true,
  };
  const pool = new pg.Pool({ ...config, max: 10 });
  surviveErrors(pool, log, 'lost an idle connection to the store');
  const subscriptions = new Subscriptions(log);
  const listener = new Listener(config, subscriptions, log);
  const database = openDatabase(withoutHungConnections(pool));
  const end = async (): Promise<void> => {
    await listener.stop();
    await pool.end();
  };
  try {
    await migrate(database);
    await listener.start();
  } catch (error) {
    await end().catch(() => {});
    throw explainFailure(error, address.shown);
  }
  const { db, transaction, notify, ping } = queriesOver(database);
  let closed: Promise<void> | undefined;
  return {
    kind: 'postgres',
    db,
    transaction,
    notify,
    ping,
    async subscribe(channel, subscriber) {
      checkedChannel(channel);
      if (subscriptions.add(channel, subscriber)) await listener.listen(channel);
      return async () => {
        if (subscriptions.remove(channel, subscriber)) await listener.unlisten(channel);
      };
    },
    close() {
      closed ??= end();
      return closed;
    },
  };
}
