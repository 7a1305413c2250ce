import type { Clock } from '@sluice/core/contract/clock.ts';
import { behind, type Principal } from '@sluice/core/domain/principal.ts';
import type { RevocationNews } from './revocation-news.ts';

/** A session that opens this soon after its proof need not have the store asked again; milliseconds. */
export const proofHolds = 250;
/** Kept at most; for anybody beyond, the store is asked again. */
const mostKept = 1_000;

interface Proofs {
  /** Of the oldest that nobody took. Unix milliseconds. */
  since: number;
  left: number;
  news: number;
}

/**
 * Proofs of identity a moment ago, each of which vouches for one opening: the store said then that nothing of them was
 * revoked. And of whom that holds still, because nothing was heard of revocations since.
 */
export class LatelyProven {
  readonly #news: Pick<RevocationNews, 'latest'>;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #proofs = new Map<string, Proofs>();

  constructor(news: Pick<RevocationNews, 'latest'>, clock: Pick<Clock, 'now'>) {
    this.#news = news;
    this.#clock = clock;
  }

  /** Runs a check against the store that rejects when it does not let in; what it lets in is proven since it began. */
  async by(check: () => Promise<Principal>, credential: string | undefined): Promise<Principal> {
    const news = this.#news.latest;
    const at = this.#clock.now();
    const principal = await check();
    this.#note(keyOf(principal, credential), at, news);
    return principal;
  }

  /** Whether a proof of a moment ago vouches for this opening. It does so once. */
  vouches(principal: Principal, credential: string | undefined): boolean {
    const now = this.#clock.now();
    const proofs = this.#proofs.get(keyOf(principal, credential));
    if (!proofs || proofs.left === 0 || proofs.news !== this.#news.latest || principal.expiresAt <= now) return false;
    const age = now - proofs.since;
    if (age < 0 || age > proofHolds) {
      proofs.left = 0;
      return false;
    }
    proofs.left--;
    return true;
  }

  /** Whether the store was asked about it, and nothing was heard of revocations since. */
  stands(principal: Principal, credential: string | undefined): boolean {
    return this.#proofs.get(keyOf(principal, credential))?.news === this.#news.latest;
  }

  #note(key: string, at: number, news: number): void {
    const before = this.#proofs.get(key);
    if (before && before.news === news) {
      const kept = before.left > 0 && at >= before.since && at - before.since <= proofHolds;
      before.since = kept ? before.since : at;
      before.left = kept ? before.left + 1 : 1;
      return;
    }
    this.#proofs.delete(key);
    this.#proofs.set(key, { since: at, left: 1, news });
    if (this.#proofs.size <= mostKept) return;
    const oldest = this.#proofs.keys().next();
    if (!oldest.done) this.#proofs.delete(oldest.value);
  }
}

function keyOf(principal: Principal, credential: string | undefined): string {
  return JSON.stringify([credential ?? null, ...behind(principal)]);
}
