import { randomBytes } from 'node:crypto';
import type { Clock } from '@sluice/core/contract/clock.ts';
import type { OperationResult, OperationSession } from '@sluice/core/contract/operations.ts';
import { CoreError } from '@sluice/core/domain/error.ts';

/** A session that nobody uses for this long is closed, and what it keeps for a cursor with it; milliseconds. */
export const idleTime = 60_000;
/** Sessions that one principal can have here at once, whoever else acts for it. */
export const mostPerPrincipal = 16;
/** Over all principals. */
export const mostAtAll = 2_000;
/** Sessions of one principal that keep the rest of a result: each may hold a transaction open at its target. */
export const mostCursors = 4;
/** From the first part of a result to the last that still gets a cursor; milliseconds. */
export const cursorLife = 600_000;

/** Whose session it is, and what for. */
export interface Place {
  /** Id of the principal. */
  readonly principal: string;
  /** Everything that tells this caller from others, the principal included. */
  readonly owner: string;
  /** Target and run. */
  readonly at: string;
}

interface Kept {
  readonly place: Place;
  readonly key: string;
  readonly session: Promise<OperationSession>;
  calls: number;
  cancelIdle: () => void;
  /** It goes on with one result; any other call ends that. */
  paging: { readonly since: number; cursor: string | undefined } | undefined;
}

type Calling = Pick<OperationSession, 'call'>;

/** Keeps sessions between calls, per owner and place; each is closed when it was idle for a minute. */
export class SessionPool {
  readonly #clock: Pick<Clock, 'after' | 'now'>;
  /** The one used last is the last one. */
  readonly #kept = new Map<string, Kept>();
  readonly #cursors = new Map<string, Kept>();
  #closed = false;

  constructor(clock: Pick<Clock, 'after' | 'now'>) {
    this.#clock = clock;
  }

  /**
   * The session that is there, or a new one; undefined when all that the principal may have are at work. What is
   * returned counts calls, so that none is closed under one. Rejects like `open`, and once closed.
   */
  async get(place: Place, open: () => Promise<OperationSession>): Promise<Calling | undefined> {
    if (this.#closed) throw new CoreError('stopping', 'gateway', 'The gateway is stopping.');
    const key = keyOf(place);
    const kept = this.#kept.get(key) ?? this.#open(key, place, open);
    if (!kept) return undefined;
    this.#paged(kept);
    this.#begin(kept);
    try {
      const session = await kept.session;
      if (this.#closed) session.close();
      return this.#calling(kept);
    } catch (error) {
      this.#done(kept);
      throw error;
    }
  }

  /** The session that keeps what this cursor stands for, if this is who got it. The cursor is used up by it. */
  take(place: Place, cursor: string): Calling | undefined {
    const kept = this.#cursors.get(cursor);
    if (kept?.paging?.cursor !== cursor || keyOf(kept.place) !== keyOf(place)) return undefined;
    this.#useUp(kept);
    this.#begin(kept);
    return this.#calling(kept);
  }

  close(): void {
    this.#closed = true;
    for (const kept of [...this.#kept.values()]) this.#drop(kept);
  }

  #calling(kept: Kept): Calling {
    return {
      call: async (...request) => {
        try {
          const session = await kept.session;
          return this.#withCursor(kept, await session.call(...request));
        } catch (error) {
          this.#paged(kept);
          throw error;
        } finally {
          this.#done(kept);
        }
      },
    };
  }

  #begin(kept: Kept): void {
    this.#kept.delete(kept.key);
    this.#kept.set(kept.key, kept);
    kept.calls++;
    kept.cancelIdle();
  }

  #done(kept: Kept): void {
    kept.calls--;
    if (kept.calls > 0 || this.#kept.get(kept.key) !== kept) return;
    kept.cancelIdle = this.#clock.after(idleTime, () => this.#drop(kept));
  }

  #withCursor(kept: Kept, result: OperationResult): OperationResult {
    if (result.outcome !== 'done' || !result.more || this.#kept.get(kept.key) !== kept) {
      this.#paged(kept);
      return result;
    }
    const now = this.#clock.now();
    kept.paging ??= { since: now, cursor: undefined };
    this.#useUp(kept);
    if (now - kept.paging.since > cursorLife) {
      this.#drop(kept);
      return result;
    }
    const cursor = randomBytes(24).toString('base64url');
    kept.paging.cursor = cursor;
    this.#cursors.set(cursor, kept);
    this.#boundCursors(kept.place.principal);
    return { ...result, value: { ...result.value, cursor } };
  }

  /** The oldest gives way: who pages through much at once most likely forgot it. */
  #boundCursors(principal: string): void {
    const own = [...this.#cursors.values()].filter(({ place }) => place.principal === principal);
    for (const oldest of own.slice(0, Math.max(0, own.length - mostCursors))) this.#drop(oldest);
  }

  /** Its result is at its end, or given up. */
  #paged(kept: Kept): void {
    this.#useUp(kept);
    kept.paging = undefined;
  }

  #open(key: string, place: Place, open: () => Promise<OperationSession>): Kept | undefined {
    if (!this.#makeRoom(place.principal)) return undefined;
    const kept: Kept = { place, key, session: open(), calls: 0, cancelIdle: () => {}, paging: undefined };
    this.#kept.set(key, kept);
    const forget = (): void => this.#forget(kept);
    kept.session.then((session) => session.over.then(forget), forget);
    return kept;
  }

  /** One that idles gives way, the one least recently used first; where all are at work, there is no room. */
  #makeRoom(principal: string): boolean {
    const own = [...this.#kept.values()].filter((kept) => kept.place.principal === principal);
    if (own.length < mostPerPrincipal && this.#kept.size < mostAtAll) return true;
    const idle = own.find((kept) => kept.calls === 0);
    if (idle) this.#drop(idle);
    return idle !== undefined;
  }

  #drop(kept: Kept): void {
    this.#forget(kept);
    // One that could not be opened has nothing to close, and whoever asked for it was told.
    kept.session.then(
      (session) => session.close(),
      () => {},
    );
  }

  #forget(kept: Kept): void {
    kept.cancelIdle();
    if (this.#kept.get(kept.key) === kept) this.#kept.delete(kept.key);
    this.#paged(kept);
  }

  #useUp({ paging }: Kept): void {
    if (paging?.cursor === undefined) return;
    this.#cursors.delete(paging.cursor);
    paging.cursor = undefined;
  }
}

function keyOf({ owner, at }: Place): string {
  return `${owner}\n${at}`;
}
