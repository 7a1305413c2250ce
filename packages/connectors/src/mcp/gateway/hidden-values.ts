import type { Json } from '@sluice/core/domain/json.ts';

/** Shorter values say too little to be looked for elsewhere. */
const shortest = 4;
/** So long that it stands in a longer word or number by no accident. */
const longEnough = 8;
const most = 2_000;

/** Values that were hidden somewhere in an answer, to be hidden wherever else in it they are, and their masks. */
export class HiddenValues {
  readonly #masks = new Map<string, string>();
  /** Values by their first characters, the longest first. */
  readonly #byBeginning = new Map<string, readonly string[]>();

  /** There were more than are kept: what is not looked for could be anywhere. */
  full = false;

  /** Remembers what differs between a document and its masked form. */
  learn(before: Json, after: Json): void {
    if (before === after) return;
    if (typeof before === 'string' || typeof before === 'number') {
      const value = String(before);
      if (value.length >= shortest) this.#add(value, typeof after === 'string' ? after : '***');
    } else if (Array.isArray(before) && Array.isArray(after)) {
      for (const [index, each] of (before as readonly Json[]).entries()) this.learn(each, after[index] ?? null);
    } else if (typeof before === 'object' && before !== null && typeof after === 'object' && after !== null) {
      // Members keep their order; their names may have been masked, too.
      const others = Object.entries(after);
      for (const [index, [name, value]] of Object.entries(before).entries()) {
        const [otherName = name, other = null] = others[index] ?? [];
        this.learn(name, otherName);
        this.learn(value, other);
      }
    }
  }

  outOfText(text: string): string {
    return this.#without(text, 0);
  }

  /** As out of text; short values only where they stand alone, since members have labels of their own. */
  outOfDocument(value: Json): Json {
    if (this.#masks.size === 0) return value;
    if (typeof value === 'string') return this.#outOfMember(value);
    if (typeof value === 'number') {
      const digits = String(value);
      return digits.length >= longEnough && this.#masks.has(digits) ? null : value;
    }
    if (Array.isArray(value)) return (value as readonly Json[]).map((each) => this.outOfDocument(each));
    if (typeof value !== 'object' || value === null) return value;
    const members = Object.entries(value).map(([name, each]) => [this.#outOfMember(name), this.outOfDocument(each)]);
    return Object.fromEntries(members);
  }

  #outOfMember(text: string): string {
    return this.#without(text, longEnough);
  }

  /** One pass, whatever the number of values is. Values shorter than `alone` count only where they stand alone. */
  #without(text: string, alone: number): string {
    if (this.#masks.size === 0 || text.length < shortest) return text;
    let clean = '';
    let from = 0;
    for (let at = 0; at + shortest <= text.length; at++) {
      const begun = this.#byBeginning.get(text.slice(at, at + shortest));
      const value = begun?.find(
        (each) => text.startsWith(each, at) && (each.length >= alone || standsAlone(text, at, at + each.length)),
      );
      if (value === undefined) continue;
      clean += text.slice(from, at) + this.#masks.get(value);
      from = at + value.length;
      at = from - 1;
    }
    return clean + text.slice(from);
  }

  #add(value: string, mask: string): void {
    if (this.#masks.has(value)) return;
    if (this.#masks.size >= most) {
      this.full = true;
      return;
    }
    this.#masks.set(value, mask);
    const beginning = value.slice(0, shortest);
    const others = this.#byBeginning.get(beginning) ?? [];
    this.#byBeginning.set(
      beginning,
      [...others, value].sort((a, b) => b.length - a.length),
    );
  }
}

const partOfWord = /[\p{L}\p{N}_]/u;

function standsAlone(text: string, start: number, end: number): boolean {
  return !partOfWord.test(text[start - 1] ?? '') && !partOfWord.test(text[end] ?? '');
}
