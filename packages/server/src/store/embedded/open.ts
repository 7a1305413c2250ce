/**
 * The store of one gateway on one machine: a database engine in a thread of this process, spoken to by the same driver
 * as a server would be. It is not durable beyond the machine: what was confirmed survives the death of the process, not
 * the loss of power, because the engine never syncs to disk. What must survive that is in the recordings.
 */
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '@sluice/core/contract/connector.ts';
import pg from 'pg';
import { lockDirectory } from '../directory-lock.ts';
import { openDatabase, queriesOver, surviveErrors, types } from '../driver.ts';
import { migrate } from '../migrate.ts';
import type { Store } from '../store-port.ts';
import { checkedChannel, Subscriptions } from '../subscriptions.ts';
import { type Engine, startEngine } from './engine.ts';
import { EngineStream } from './engine-stream.ts';
import { withNamedStatements } from './named-statements.ts';

/** Keeps to `<dataDir>/store`. */
export async function openEmbedded(dataDir: string, log: Log): Promise<Store> {
  const dir = join(dataDir, 'store');
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  // The engine makes its files readable by everyone; what keeps others out is the directory.
  chmodSync(dir, 0o700);
  // Two engines on one directory lose rows without a word, so it is locked here, whoever else locks what.
  const release = await lockDirectory(dir, {
    onLost: (error) => {
      log.error(
        { error: error.message },
        'the embedded store stops, because another process may be using its directory',
      );
      void engine.stop();
    },
  });
  const engine = new Restarting(dir, log);
  const subscriptions = new Subscriptions(log);
  const pool = openPool(engine, subscriptions, log);
  const database = openDatabase(withNamedStatements(pool));
  const end = async (): Promise<void> => {
    await pool.end().catch((error: unknown) => log.warn({ error }, 'the embedded store did not close its session'));
    await engine.stop();
    release();
  };
  try {
    await engine.running();
    await migrate(database);
  } catch (error) {
    await end();
    throw error;
  }
  const { db, transaction, notify, ping } = queriesOver(database);
  let closed: Promise<void> | undefined;
  return {
    kind: 'embedded',
    db,
    transaction,
    notify,
    ping,
    async subscribe(channel, subscriber) {
      checkedChannel(channel);
      // There is one session, which every query uses: it listens from the moment it is opened, see `openPool`.
      if (subscriptions.add(channel, subscriber)) await pool.query(`listen ${channel}`);
      return async () => {
        if (subscriptions.remove(channel, subscriber)) await pool.query(`unlisten ${channel}`);
      };
    },
    close() {
      closed ??= end();
      return closed;
    },
  };
}

function openPool(engine: Restarting, subscriptions: Subscriptions, log: Log): pg.Pool {
  let opened = 0;
  const pool = new pg.Pool({
    user: 'postgres',
    database: 'postgres',
    stream: () => new EngineStream(() => engine.running()) as never,
    ssl: false,
    types,
    max: 1,
    // The session holds the subscriptions, so it stays.
    idleTimeoutMillis: 0,
    // Waiting for longer means that someone queries inside their own transaction: an error then, not a standstill.
    connectionTimeoutMillis: 60_000,
    onConnect: async (client) => {
      client.on('notification', ({ channel, payload }) => subscriptions.deliver(channel, payload ?? ''));
      for (const channel of subscriptions.channels()) await client.query(`listen ${channel}`);
      opened += 1;
      if (opened > 1) subscriptions.resync();
    },
  });
  surviveErrors(pool, log, 'the embedded store lost its session; a new one follows');
  return pool;
}

/** The engine, started again when it is next needed after it died. */
class Restarting {
  readonly #dir: string;
  readonly #log: Log;
  #engine: Promise<Engine> | undefined;
  #stopped = false;

  constructor(dir: string, log: Log) {
    this.#dir = dir;
    this.#log = log;
  }

  running(): Promise<Engine> {
    if (this.#stopped) return Promise.reject(new Error('The embedded store is closed.'));
    if (this.#engine) return this.#engine;
    const starting = startEngine(this.#dir);
    this.#engine = starting;
    const forget = (): void => {
      if (this.#engine === starting) this.#engine = undefined;
    };
    starting.then(
      (engine) =>
        engine.whenLost((error) => {
          forget();
          if (this.#stopped) return;
          this.#log.error({ error: error.message }, 'the embedded store died; it is started again when next needed');
        }),
      forget,
    );
    return starting;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    const engine = await this.#engine?.catch(() => undefined);
    await engine?.close();
  }
}
