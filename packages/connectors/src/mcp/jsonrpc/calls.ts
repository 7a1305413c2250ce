import type { Failure, Notification, RequestId, Result } from './message.ts';

/** Somebody who waits for the answer to a request that was sent. */
export interface Waiting {
  answered(answer: Result | Failure): void;
  /** A notification of progress (MCP "Progress"): its token is the request's own id. */
  progress(notification: Notification): Promise<void> | undefined;
  failed(error: Error): void;
}

/** Requests that were sent and not answered. Ids are counted up and never used again. */
export class Calls {
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;

  get size(): number {
    return this.#waiting.size;
  }

  start(waiting: Waiting): number {
    const id = this.#next++;
    this.#waiting.set(id, waiting);
    return id;
  }

  /** Whoever waits under the id, if anybody does. */
  find(id: RequestId | undefined): Waiting | undefined {
    return typeof id === 'number' ? this.#waiting.get(id) : undefined;
  }

  /** The only one that waits; undefined where none or several do. */
  only(): Waiting | undefined {
    if (this.#waiting.size !== 1) return undefined;
    const [waiting] = this.#waiting.values();
    return waiting;
  }

  /** Nobody waits for it any longer. False when nobody did: it is answered already, or was never sent. */
  end(id: RequestId | undefined): boolean {
    return typeof id === 'number' && this.#waiting.delete(id);
  }

  failAll(error: Error): void {
    const all = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const waiting of all) waiting.failed(error);
  }
}
