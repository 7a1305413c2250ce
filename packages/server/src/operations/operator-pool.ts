import type { Clock } from '@sluice/core/contract/clock.ts';
import type { Operator } from '@sluice/core/contract/operations.ts';

/** A session that nobody uses for this long is closed; milliseconds. */
const idleTime = 60_000;

interface Kept {
  readonly owner: string;
  readonly operator: Promise<Operator>;
  calls: number;
  cancelIdle: () => void;
}

/** Keeps operators between calls, per owner and place; each is closed when it was idle for a minute. */
export class OperatorPool {
  readonly #clock: Clock;
  readonly #kept = new Map<string, Kept>();
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The operator that is there, or a new one. What is returned counts calls, so that none is closed under one. */
  async get([owner, place]: readonly [string, string], open: () => Promise<Operator>): Promise<Pick<Operator, 'call'>> {
    const key = `${owner}\n${place}`;
    let kept = this.#kept.get(key);
    if (!kept) {
      kept = { owner, operator: open(), calls: 0, cancelIdle: () => {} };
      this.#kept.set(key, kept);
      this.#forgetWhenOver(key, kept);
    }
    const mine = kept;
    mine.calls++;
    mine.cancelIdle();
    const done = (): void => {
      mine.calls--;
      if (mine.calls > 0 || this.#kept.get(key) !== mine) return;
      mine.cancelIdle = this.#clock.after(idleTime, () => this.#drop(key));
    };
    try {
      const operator = await mine.operator;
      if (this.#closed) operator.close();
      return { call: (...request) => operator.call(...request).finally(done) };
    } catch (error) {
      done();
      throw error;
    }
  }

  /** Closes everything of this owner. */
  leave(owner: string): void {
    for (const [key, kept] of this.#kept) if (kept.owner === owner) this.#drop(key);
  }

  close(): void {
    this.#closed = true;
    for (const key of [...this.#kept.keys()]) this.#drop(key);
  }

  #forgetWhenOver(key: string, kept: Kept): void {
    const forget = (): void => {
      kept.cancelIdle();
      if (this.#kept.get(key) === kept) this.#kept.delete(key);
    };
    kept.operator.then((operator) => operator.over.then(forget), forget);
  }

  #drop(key: string): void {
    const kept = this.#kept.get(key);
    if (!kept) return;
    this.#kept.delete(key);
    kept.cancelIdle();
    // One that could not be opened has nothing to close, and whoever asked for it was told.
    kept.operator.then(
      (operator) => operator.close(),
      () => {},
    );
  }
}
