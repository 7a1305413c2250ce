import { type JsonMaskerOptions, JsonMasks, untaken } from './json-masks.ts';
import { MaskingError } from './masking-error.ts';

export interface MaskedJsonText {
  readonly value: string;
  /** Labels that were found, by path or by look, shown or not; sorted. */
  readonly labels: readonly string[];
  /** Whether any of it was hidden. */
  readonly masked: boolean;
}

/**
 * A JSON text (RFC 8259) in which labelled and detected values are masked, like `maskJson` does; everything else stays
 * as it is written. Throws `undecidable` for a text that is not JSON, or that is nested more than 256 deep.
 */
export function maskJsonText(source: string, options: JsonMaskerOptions): MaskedJsonText {
  const walk = new TextWalk(source, options);
  return { value: walk.document(), labels: [...walk.labels].sort(), masked: walk.masked };
}

const space = /[ \t\n\r]*/y;
const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const literal = /true|false|null/y;

class TextWalk extends JsonMasks {
  readonly #source: string;
  readonly #parts: string[] = [];
  /** Up to here the source is in the parts. */
  #copied = 0;
  #at = 0;

  constructor(source: string, options: JsonMaskerOptions) {
    super(options);
    this.#source = source;
  }

  document(): string {
    this.#value([], []);
    this.#space();
    if (this.#at < this.#source.length) throw this.#wrong();
    return this.#parts.length === 0 ? this.#source : this.#parts.join('') + this.#source.slice(this.#copied);
  }

  #value(path: readonly string[], above: readonly string[]): void {
    const labels = this.labelsAt(path, above);
    this.#space();
    const start = this.#at;
    switch (this.#source[start]) {
      case '{':
        this.#object(path, labels);
        return;
      case '[':
        this.#array(path, labels);
        return;
      case '"': {
        const text = this.#string();
        const shown = this.text(text, labels);
        if (shown !== text) this.#replace(start, JSON.stringify(shown));
        return;
      }
      default: {
        const scalar = this.#take(number) ?? this.#take(literal);
        if (scalar === undefined) throw this.#wrong();
        if (!this.keeps(scalar, labels)) this.#replace(start, 'null');
      }
    }
  }

  #object(path: readonly string[], labels: readonly string[]): void {
    this.#at += 1;
    const names = new Set<string>();
    if (this.#skip('}')) return;
    do {
      this.#space();
      const start = this.#at;
      if (this.#source[start] !== '"') throw this.#wrong();
      const key = this.#string();
      const shown = this.name(key);
      const name = shown === key ? key : untaken(shown, names);
      names.add(name);
      if (name !== key) this.#replace(start, JSON.stringify(name));
      if (!this.#skip(':')) throw this.#wrong();
      this.#value([...path, key], labels);
    } while (this.#skip(','));
    if (!this.#skip('}')) throw this.#wrong();
  }

  #array(path: readonly string[], labels: readonly string[]): void {
    this.#at += 1;
    if (this.#skip(']')) return;
    const inside = [...path, '[]'];
    do this.#value(inside, labels);
    while (this.#skip(','));
    if (!this.#skip(']')) throw this.#wrong();
  }

  /** The string that begins here, as it reads. */
  #string(): string {
    const start = this.#at;
    for (let end = this.#source.indexOf('"', start + 1); end > 0; end = this.#source.indexOf('"', end + 1)) {
      let slashes = end;
      while (this.#source[slashes - 1] === '\\') slashes -= 1;
      if ((end - slashes) % 2 === 1) continue;
      this.#at = end + 1;
      try {
        return JSON.parse(this.#source.slice(start, end + 1)) as string;
      } catch {
        throw this.#wrong();
      }
    }
    throw this.#wrong();
  }

  #space(): void {
    space.lastIndex = this.#at;
    space.test(this.#source);
    this.#at = space.lastIndex;
  }

  /** Goes behind the sign, if it is what comes next. */
  #skip(sign: string): boolean {
    this.#space();
    if (this.#source[this.#at] !== sign) return false;
    this.#at += 1;
    return true;
  }

  #take(form: RegExp): string | undefined {
    form.lastIndex = this.#at;
    const found = form.exec(this.#source)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  /** What stands from `start` up to here becomes something else. */
  #replace(start: number, by: string): void {
    this.#parts.push(this.#source.slice(this.#copied, start), by);
    this.#copied = this.#at;
  }

  #wrong(): MaskingError {
    return new MaskingError('undecidable', 'gateway', `A document is not JSON at character ${this.#at + 1}.`);
  }
}
