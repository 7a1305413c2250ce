/**
 * The one time limit of a connection that counts at the moment. It is set and lifted with every request and hardly ever
 * reached, so that the timer behind it is left as it is, and looks when it goes off whether anything is due.
 */
export class Deadline {
  #timer: NodeJS.Timeout | undefined;
  /** When the timer goes off, and when something is due; milliseconds of `performance.now`. */
  #rings = Number.POSITIVE_INFINITY;
  #due = Number.POSITIVE_INFINITY;
  #then: () => void = () => {};

  /** In place of what was set before. */
  set(ms: number, then: () => void): void {
    this.#due = performance.now() + ms;
    this.#then = then;
    if (this.#rings > this.#due) this.#arm(ms);
  }

  lift(): void {
    this.#due = Number.POSITIVE_INFINITY;
  }

  /** For good: nothing is left behind. */
  stop(): void {
    this.lift();
    clearTimeout(this.#timer);
    this.#rings = Number.POSITIVE_INFINITY;
  }

  #arm(ms: number): void {
    clearTimeout(this.#timer);
    this.#rings = performance.now() + ms;
    // A timer may go off a little early by the other clock.
    this.#timer = setTimeout(() => this.#look(), Math.ceil(ms));
    this.#timer.unref();
  }

  #look(): void {
    this.#rings = Number.POSITIVE_INFINITY;
    if (this.#due === Number.POSITIVE_INFINITY) return;
    const left = this.#due - performance.now();
    if (left > 0) {
      this.#arm(left);
      return;
    }
    this.lift();
    this.#then();
  }
}
