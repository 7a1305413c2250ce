/**
 * Values by text, under what they depend on beside it; bounded in number and size. What was not used for a whole
 * generation goes with it, so that what is used again costs one look and no bookkeeping.
 */
export interface Bounds {
  readonly entries: number;
  /** Sum of the texts' lengths in characters. */
  readonly characters: number;
}

type Generation<V> = Map<string, Map<string, V>>;

export class Generations<V> {
  readonly #bounds: Bounds;
  #young: Generation<V> = new Map();
  #old: Generation<V> = new Map();
  #entries = 0;
  #characters = 0;
  #oldEntries = 0;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
  }

  get(grounds: string, text: string): V | undefined {
    const known = this.#young.get(grounds)?.get(text);
    if (known !== undefined) return known;
    const kept = this.#old.get(grounds)?.get(text);
    if (kept !== undefined) this.keep(grounds, text, kept);
    return kept;
  }

  /** A text that takes more than its share is not kept. */
  keep(grounds: string, text: string, value: V): void {
    const { entries, characters } = this.#bounds;
    if (text.length > characters / 16) return;
    if (this.#entries + 1 > entries / 2 || this.#characters + text.length > characters / 2) {
      this.#old = this.#young;
      this.#oldEntries = this.#entries;
      this.#young = new Map();
      this.#entries = 0;
      this.#characters = 0;
    }
    let texts = this.#young.get(grounds);
    if (texts === undefined) {
      texts = new Map();
      this.#young.set(grounds, texts);
    }
    texts.set(text, value);
    this.#entries++;
    this.#characters += text.length;
  }

  /** Entries that are kept; one that is in both generations counts twice. */
  get size(): number {
    return this.#entries + this.#oldEntries;
  }
}
