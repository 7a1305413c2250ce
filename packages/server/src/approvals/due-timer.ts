import type { Clock } from '@sluice/core/contract/clock.ts';

/** One timer for the earliest of many moments. */
export class DueTimer {
  readonly #clock: Clock;
  readonly #due: () => void;
  #at = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | undefined;

  /** `due` is called at or after the earliest moment; it says by `set` when the next one is. */
  constructor(clock: Clock, due: () => void) {
    this.#clock = clock;
    this.#due = due;
  }

  /** Unix milliseconds. Moves the timer forward, never back: to fire for nothing does no harm. */
  set(at: number): void {
    if (!(at < this.#at)) return;
    this.#cancel?.();
    this.#at = at;
    // A day at most, because a timer's range is bounded, and because a clock that jumps is then noticed in the end.
    const wait = Math.min(86_400_000, Math.max(0, at - this.#clock.now()));
    this.#cancel = this.#clock.after(wait, () => {
      this.#at = Number.POSITIVE_INFINITY;
      this.#cancel = undefined;
      this.#due();
    });
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#at = Number.NEGATIVE_INFINITY;
  }
}
