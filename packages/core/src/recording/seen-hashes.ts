/**
 * Which event had which hash, kept in 8 bytes per event: the first 48 bits of the hash. Looked up only to tell what an
 * event that does not fit follows instead; that two hashes agree in those bits by accident would misname a fault, not
 * hide one.
 */
export class SeenHashes {
  #prefixes = new Float64Array(1024);
  #size = 0;

  add(hash: Uint8Array, position: number): void {
    if (position >= this.#prefixes.length) {
      const next = new Float64Array(Math.max(this.#prefixes.length * 2, position + 1));
      next.set(this.#prefixes);
      this.#prefixes = next;
    }
    // Positions in between were damaged: nothing has that prefix.
    this.#prefixes.fill(-1, this.#size, position);
    this.#prefixes[position] = prefix(hash);
    this.#size = position + 1;
  }

  /** Position of the event with this hash; undefined when there is none. */
  find(hash: Uint8Array): number | undefined {
    const position = this.#prefixes.subarray(0, this.#size).indexOf(prefix(hash));
    return position < 0 ? undefined : position;
  }
}

function prefix(hash: Uint8Array): number {
  let value = 0;
  for (let i = 0; i < 6; i++) value = value * 256 + (hash[i] ?? 0);
  return value;
}
