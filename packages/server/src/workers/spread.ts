import { createHash } from 'node:crypto';

/** A worker that connections can be handed to. */
export interface Taker {
  /** From 1. */
  readonly number: number;
}

/** Chooses who serves a connection. */
export class Spread {
  #turn = 0;

  /** One after the other; undefined when there is none. */
  next<T extends Taker>(takers: readonly T[]): T | undefined {
    this.#turn++;
    return takers[this.#turn % Math.max(1, takers.length)];
  }

  /**
   * The same for one address as long as that worker lives. While it doesn't, another one, the same for all who ask
   * meanwhile: what was begun is lost with the worker anyway.
   */
  ofAddress<T extends Taker>(address: string, takers: readonly T[]): T | undefined {
    // The one with the highest score: when one goes, only its own addresses move.
    let best: { readonly taker: T; readonly score: string } | undefined;
    for (const taker of takers) {
      const score = createHash('sha256').update(`${taker.number} ${address}`).digest('hex');
      if (!best || score > best.score) best = { taker, score };
    }
    return best?.taker;
  }
}
