import type { Clock } from '@sluice/core/contract/clock.ts';
import type { RevocationNews } from './revocation-news.ts';

/** What was found before it was needed is good for this long; milliseconds. */
export const goodFor = 1_000;
/** Kept at most; whoever begins more logins than this at once has the store asked again. */
const mostKept = 1_000;

interface Found<T> {
  readonly value: T;
  readonly at: number;
  readonly news: number;
}

/**
 * What the store said while the client was still busy with its proof. It is given out once, to the login that it was
 * asked for, and only while it is fresh and nothing was heard of revocations since it was asked: else the store is to be
 * asked again. So nobody is let in on what was found for an earlier login.
 */
export class LookedAhead<T extends Promise<unknown>> {
  readonly #news: Pick<RevocationNews, 'latest'>;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #found = new Map<string, Found<T>>();

  constructor(news: Pick<RevocationNews, 'latest'>, clock: Pick<Clock, 'now'>) {
    this.#news = news;
    this.#clock = clock;
  }

  /** `value` is the promise of an answer that the store was asked for just now. */
  keep(id: string, value: T): void {
    this.#found.delete(id);
    this.#found.set(id, { value, at: this.#clock.now(), news: this.#news.latest });
    if (this.#found.size > mostKept) this.#dropOldest();
  }

  /** Forgets it. */
  take(id: string): T | undefined {
    const value = this.peek(id);
    this.#found.delete(id);
    return value;
  }

  /** Leaves it to be taken. */
  peek(id: string): T | undefined {
    const found = this.#found.get(id);
    if (!found) return undefined;
    const age = this.#clock.now() - found.at;
    // A clock that was set back says nothing about how long ago it was.
    const fresh = age >= 0 && age <= goodFor && found.news === this.#news.latest;
    return fresh ? found.value : undefined;
  }

  #dropOldest(): void {
    const oldest = this.#found.keys().next();
    if (!oldest.done) this.#found.delete(oldest.value);
  }
}
