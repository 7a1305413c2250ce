import type { Clock } from '@sluice/core/contract/clock.ts';
import type { OperationSession } from '@sluice/core/contract/operations.ts';
import { CoreError } from '@sluice/core/domain/error.ts';

/** A session that nobody uses for this long is closed; milliseconds. */
export const idleTime = 60_000;
/** Sessions that one principal can have here at once, whoever else acts for it. */
export const mostPerPrincipal = 16;
/** Over all principals. */
export const mostAtAll = 2_000;

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
  readonly session: Promise<OperationSession>;
  calls: number;
  cancelIdle: () => void;
}

/** Keeps sessions between calls, per owner and place; each is closed when it was idle for a minute. */
export class SessionPool {
  readonly #clock: Pick<Clock, 'after'>;
  /** The one used last is the last one. */
  readonly #kept = new Map<string, Kept>();
  #closed = false;

  constructor(clock: Pick<Clock, 'after'>) {
    this.#clock = clock;
  }

  /**
   * The session that is there, or a new one; undefined when all that the principal may have are at work. What is
   * returned counts calls, so that none is closed under one. Rejects like `open`, and once closed.
   */
  async get(place: Place, open: () => Promise<OperationSession>): Promise<Pick<OperationSession, 'call'> | undefined> {
    if (this.#closed) throw new CoreError('stopping', 'gateway', 'The gateway is stopping.');
    const key = keyOf(place);
    const kept = this.#kept.get(key) ?? this.#open(key, place, open);
    if (!kept) return undefined;
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    kept.calls++;
    kept.cancelIdle();
    const done = (): void => {
      kept.calls--;
      if (kept.calls > 0 || this.#kept.get(key) !== kept) return;
      kept.cancelIdle = this.#clock.after(idleTime, () => this.#drop(key));
    };
    try {
      const session = await kept.session;
      if (this.#closed) session.close();
      return { call: (...request) => session.call(...request).finally(done) };
    } catch (error) {
      done();
      throw error;
    }
  }

  close(): void {
    this.#closed = true;
    for (const key of [...this.#kept.keys()]) this.#drop(key);
  }

  #open(key: string, place: Place, open: () => Promise<OperationSession>): Kept | undefined {
    if (!this.#makeRoom(place.principal)) return undefined;
    const kept: Kept = { place, session: open(), calls: 0, cancelIdle: () => {} };
    this.#kept.set(key, kept);
    this.#forgetWhenOver(key, kept);
    return kept;
  }

  /** One that idles gives way, the one least recently used first; where all are at work, there is no room. */
  #makeRoom(principal: string): boolean {
    const own = [...this.#kept].filter(([, kept]) => kept.place.principal === principal);
    if (own.length < mostPerPrincipal && this.#kept.size < mostAtAll) return true;
    const idle = own.find(([, kept]) => kept.calls === 0);
    if (idle) this.#drop(idle[0]);
    return idle !== undefined;
  }

  #forgetWhenOver(key: string, kept: Kept): void {
    const forget = (): void => {
      kept.cancelIdle();
      if (this.#kept.get(key) === kept) this.#kept.delete(key);
    };
    kept.session.then((session) => session.over.then(forget), forget);
  }

  #drop(key: string): void {
    const kept = this.#kept.get(key);
    if (!kept) return;
    this.#kept.delete(key);
    kept.cancelIdle();
    // One that could not be opened has nothing to close, and whoever asked for it was told.
    kept.session.then(
      (session) => session.close(),
      () => {},
    );
  }
}

function keyOf({ owner, at }: Place): string {
  return `${owner}\n${at}`;
}
