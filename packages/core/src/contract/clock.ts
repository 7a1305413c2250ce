/** Time, as a port, so that expiry can be tested without waiting. */
export interface Clock {
  /** Unix milliseconds. */
  now(): number;
  /** Runs `callback` once after `ms`; the returned function cancels it. Never keeps the process alive by itself. */
  after(ms: number, callback: () => void): () => void;
}
