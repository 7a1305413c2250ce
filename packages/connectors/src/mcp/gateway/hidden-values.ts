import type { Json } from '@sluice/core/domain/json.ts';

/** Shorter values say too little to be looked for elsewhere. */
const shortest = 4;
/** So long that it stands in a longer word or number by no accident. */
const longEnough = 8;
const most = 2_000;

/** Values that were hidden somewhere in an answer, to be hidden wherever else in it they are, and their masks. */
export class HiddenValues {
  readonly #masks = new Map<string, string>();

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
    let clean = text;
    for (const [value, mask] of this.#masks) if (clean.includes(value)) clean = clean.replaceAll(value, () => mask);
    return clean;
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
    let clean = text;
    for (const [value, mask] of this.#masks) {
      if (clean === value) return mask;
      if (!clean.includes(value)) continue;
      clean = value.length < longEnough ? alone(clean, value, mask) : clean.replaceAll(value, () => mask);
    }
    return clean;
  }

  #add(value: string, mask: string): void {
    if (this.#masks.size < most) this.#masks.set(value, mask);
    else if (!this.#masks.has(value)) this.full = true;
  }
}

const partOfWord = /[\p{L}\p{N}_]/u;

/** Replaces the value where no letter or digit goes on before or behind it. */
function alone(text: string, value: string, mask: string): string {
  let clean = '';
  let from = 0;
  for (let at = text.indexOf(value); at >= 0; at = text.indexOf(value, from)) {
    const end = at + value.length;
    const inWord = partOfWord.test(text[at - 1] ?? '') || partOfWord.test(text[end] ?? '');
    clean += text.slice(from, at) + (inWord ? value : mask);
    from = end;
  }
  return clean + text.slice(from);
}
