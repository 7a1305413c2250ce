import { type JsonMaskerOptions, JsonMasks, type Place, untaken } from './json-masks.ts';
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

const number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const literal = /true|false|null/y;

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d];

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
    this.#value(this.top());
    this.#space();
    if (this.#at < this.#source.length) throw this.#wrong();
    return this.#parts.length === 0 ? this.#source : this.#parts.join('') + this.#source.slice(this.#copied);
  }

  #value(place: Place): void {
    this.#space();
    const start = this.#at;
    switch (this.#source.charCodeAt(start)) {
      case openBrace:
        this.#object(place);
        return;
      case openBracket:
        this.#array(place);
        return;
      case quote: {
        const text = this.#string();
        const shown = this.text(text, place);
        if (shown !== text) this.#replace(start, JSON.stringify(shown));
        return;
      }
      default: {
        const scalar = this.#take(number) ?? this.#take(literal);
        if (scalar === undefined) throw this.#wrong();
        if (!this.keeps(scalar, place)) this.#replace(start, 'null');
      }
    }
  }

  #object(place: Place): void {
    this.#at += 1;
    const before: string[] = [];
    let names: Set<string> | undefined;
    if (this.#skip(closeBrace)) return;
    do {
      this.#space();
      const start = this.#at;
      if (this.#source.charCodeAt(start) !== quote) throw this.#wrong();
      const key = this.#string();
      const at = this.below(place, key);
      const shown = this.name(key, at);
      let name = key;
      if (shown !== key) {
        names ??= new Set(before);
        name = untaken(shown, names);
      }
      if (names === undefined) before.push(name);
      else names.add(name);
      if (name !== key) this.#replace(start, JSON.stringify(name));
      if (!this.#skip(colon)) throw this.#wrong();
      this.#value(at);
    } while (this.#skip(comma));
    if (!this.#skip(closeBrace)) throw this.#wrong();
  }

  #array(place: Place): void {
    this.#at += 1;
    if (this.#skip(closeBracket)) return;
    const inside = this.below(place, '[]');
    do this.#value(inside);
    while (this.#skip(comma));
    if (!this.#skip(closeBracket)) throw this.#wrong();
  }

  /** The string that begins here, as it reads. */
  #string(): string {
    const source = this.#source;
    const start = this.#at + 1;
    let at = start;
    let code = source.charCodeAt(at);
    // Not a number behind the end, which is no more than a space either.
    while (code !== quote && code !== backslash && code >= 0x20) code = source.charCodeAt(++at);
    if (code !== quote) return this.#escaped();
    this.#at = at + 1;
    return source.slice(start, at);
  }

  /** As `#string`, for one in which something is written in another way than it reads. */
  #escaped(): string {
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
    for (;;) {
      const code = this.#source.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d) return;
      this.#at += 1;
    }
  }

  /** Goes behind the sign, if it is what comes next. */
  #skip(sign: number): boolean {
    this.#space();
    if (this.#source.charCodeAt(this.#at) !== sign) return false;
    this.#at += 1;
    return true;
  }

  #take(form: RegExp): string | undefined {
    const start = this.#at;
    form.lastIndex = start;
    if (!form.test(this.#source)) return undefined;
    this.#at = form.lastIndex;
    return this.#source.slice(start, this.#at);
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
