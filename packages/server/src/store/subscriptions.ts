import type { Log } from '@sluice/core/contract/connector.ts';
import { StoreError } from './store-error.ts';
import type { Subscriber } from './store-port.ts';

/** Who in this process listens to which channel. */
export class Subscriptions {
  readonly #channels = new Map<string, Set<Subscriber>>();
  readonly #log: Log;

  constructor(log: Log) {
    this.#log = log;
  }

  channels(): string[] {
    return [...this.#channels.keys()];
  }

  /** True when it is the first for its channel. */
  add(channel: string, subscriber: Subscriber): boolean {
    const present = this.#channels.get(channel);
    if (present) present.add(subscriber);
    else this.#channels.set(channel, new Set([subscriber]));
    return !present;
  }

  /** True when it was the last for its channel. */
  remove(channel: string, subscriber: Subscriber): boolean {
    const present = this.#channels.get(channel);
    if (!present?.delete(subscriber) || present.size > 0) return false;
    return this.#channels.delete(channel);
  }

  deliver(channel: string, payload: string): void {
    for (const subscriber of [...(this.#channels.get(channel) ?? [])])
      this.#call(subscriber, { kind: 'message', payload });
  }

  /** Messages may have been missed: everyone reads anew what they watch. */
  resync(): void {
    for (const subscribers of [...this.#channels.values()]) {
      for (const subscriber of [...subscribers]) this.#call(subscriber, { kind: 'resync' });
    }
  }

  #call(subscriber: Subscriber, event: Parameters<Subscriber>[0]): void {
    try {
      subscriber(event);
    } catch (error) {
      this.#log.error({ error }, 'a subscriber to the store failed');
    }
  }
}

/** Names go into statements as they are, so they are ours alone. */
export function checkedChannel(channel: string): string {
  if (!/^[a-z][a-z_]{0,39}$/.test(channel)) throw new StoreError('store_misuse', `No channel can be named ${channel}.`);
  return channel;
}

/** NOTIFY takes payloads below 8000 bytes (PostgreSQL documentation, NOTIFY). */
export function checkedPayload(payload: string): string {
  if (Buffer.byteLength(payload) >= 8_000) throw new StoreError('store_misuse', 'A notification is too long to send.');
  return payload;
}
