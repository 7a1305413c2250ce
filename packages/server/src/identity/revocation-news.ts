/**
 * Counts what is heard of access credentials revoked and principals disabled, here and at other gateways on the same
 * store; also when something may have been missed. What was found in the store before the last of it holds no more.
 */
export class RevocationNews {
  #latest = 0;

  /** Another number than before whenever something was heard. */
  get latest(): number {
    return this.#latest;
  }

  heard(): void {
    this.#latest++;
  }
}
