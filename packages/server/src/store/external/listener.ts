import type { Log } from '@sluice/core/contract/connector.ts';
import pg from 'pg';
import type { Subscriptions } from '../subscriptions.ts';

const heartbeat = 15_000;
const slowest = 10_000;

/**
 * The one connection on which a shared database's notifications arrive. It comes back by itself after a loss, and then
 * lets every subscriber read anew, because what was sent meanwhile is gone.
 */
export class Listener {
  readonly #config: pg.ClientConfig;
  readonly #subscriptions: Subscriptions;
  readonly #log: Log;
  #client: pg.Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;
  #attempt = 0;

  constructor(config: pg.ClientConfig, subscriptions: Subscriptions, log: Log) {
    this.#config = config;
    this.#subscriptions = subscriptions;
    this.#log = log;
  }

  /** Rejects when the first connection fails. */
  async start(): Promise<void> {
    await this.#connect();
  }

  /** Without a connection there is nothing to do: a new one listens to every channel and resyncs. */
  async listen(channel: string): Promise<void> {
    await this.#client?.query(`listen ${channel}`);
  }

  async unlisten(channel: string): Promise<void> {
    await this.#client?.query(`unlisten ${channel}`);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => {});
  }

  async #connect(): Promise<void> {
    const client = new pg.Client(this.#config);
    let gone = false;
    const lost = (error?: Error): void => {
      if (gone) return;
      gone = true;
      this.#lost(client, error);
    };
    client.on('error', lost);
    client.on('end', () => lost());
    client.on('notification', ({ channel, payload }) => this.#subscriptions.deliver(channel, payload ?? ''));
    try {
      await client.connect();
      for (const channel of this.#subscriptions.channels()) await client.query(`listen ${channel}`);
    } catch (error) {
      gone = true;
      client.end().catch(() => {});
      throw error;
    }
    if (this.#stopped) return client.end();
    this.#client = client;
    this.#attempt = 0;
    this.#beat(client, lost);
  }

  /** A connection that died without a word would miss everything: now and then it must show that it lives. */
  #beat(client: pg.Client, lost: (error: Error) => void): void {
    this.#schedule(heartbeat, () => {
      client.query('select 1').then(
        () => {
          if (this.#client === client) this.#beat(client, lost);
        },
        (error: Error) => lost(error),
      );
    });
  }

  #lost(client: pg.Client, error?: Error): void {
    if (this.#client !== client) return;
    this.#client = undefined;
    client.end().catch(() => {});
    if (this.#stopped) return;
    this.#log.warn(
      { error: error?.message },
      'lost the connection that brings notifications from the store; reconnecting',
    );
    this.#retry();
  }

  #retry(): void {
    const wait = Math.min(slowest, 200 * 2 ** this.#attempt) * (0.5 + Math.random() / 2);
    this.#attempt += 1;
    this.#schedule(wait, () => {
      this.#connect().then(
        () => {
          this.#log.info({}, 'notifications from the store arrive again');
          this.#subscriptions.resync();
        },
        (error: Error) => {
          this.#log.warn({ error: error.message }, 'the store is still unreachable; trying again');
          if (!this.#stopped) this.#retry();
        },
      );
    });
  }

  #schedule(ms: number, action: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(action, ms);
    this.#timer.unref();
  }
}
