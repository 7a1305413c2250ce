import { type JsonMaskerOptions, JsonMasks, tellingNumber, untaken } from './json-masks.ts';
import type { Place } from './json-places.ts';
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

const [quote, backslash, comma, colon] = [0x22, 0x5c, 0x2c, 0x3a];
const [minus, plus, dot, zero, nine, upperE, lowerE] = [0x2d, 0x2b, 0x2e, 0x30, 0x39, 0x45, 0x65];
const [openBrace, closeBrace, openBracket, closeBracket] = [0x7b, 0x7d, 0x5b, 0x5d];

const literals = ['true', 'false', 'null'];

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
    this.#sign();
    if (this.#at < this.#source.length) throw this.#wrong();
    this.done();
    return this.#parts.length === 0 ? this.#source : this.#parts.join('') + this.#source.slice(this.#copied);
  }

  #value(place: Place): void {
    const sign = this.#sign();
    const start = this.#at;
    switch (sign) {
      case openBrace:
        this.#object(place);
        return;
      case openBracket:
        this.#array(place);
        return;
      case quote: {
        const end = this.#plainEnd();
        if (end > 0 && this.shows(this.#source, start + 1, end, place)) {
          this.#at = end + 1;
          return;
        }
        const text = this.#string(end);
        const shown = this.text(text, place);
        if (shown !== text) this.#replace(start, JSON.stringify(shown));
        return;
      }
      default: {
        if (!this.#number() && !this.#literal()) throw this.#wrong();
        if (place.labels.length === 0 && this.#at - start < tellingNumber) return;
        if (!this.keeps(this.#source.slice(start, this.#at), place)) this.#replace(start, 'null');
      }
    }
  }

  #object(place: Place): void {
    this.#at += 1;
    const before: string[] = [];
    let names: Set<string> | undefined;
    if (this.#skip(closeBrace)) return;
    // Objects that stand in the same place mostly have their members in the same order.
    let next = 0;
    do {
      const sign = this.#sign();
      const start = this.#at;
      const at = this.#expected(place.below[next]) ?? this.#member(place, sign);
      next = at.index + 1;
      const key = at.path.at(-1) ?? '';
      const { shown } = at;
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

  /** The place, if its name is what stands here. */
  #expected(place: Place | undefined): Place | undefined {
    if (place === undefined || place.written === '') return undefined;
    const { written } = place;
    const start = this.#at;
    for (let index = 0; index < written.length; index++) {
      if (this.#source.charCodeAt(start + index) !== written.charCodeAt(index)) return undefined;
    }
    this.#at = start + written.length;
    return place;
  }

  #member(above: Place, sign: number): Place {
    if (sign !== quote) throw this.#wrong();
    return this.below(above, this.#string(this.#plainEnd()));
  }

  /** Where the string that begins here ends, if it reads as it is written; else 0. */
  #plainEnd(): number {
    const source = this.#source;
    let at = this.#at + 1;
    let code = source.charCodeAt(at);
    // Not a number behind the end, which is no more than a space either.
    while (code !== quote && code !== backslash && code >= 0x20) code = source.charCodeAt(++at);
    return code === quote ? at : 0;
  }

  /** The string that begins here, as it reads; `end` is what `#plainEnd` says. */
  #string(end: number): string {
    if (end === 0) return this.#escaped();
    const start = this.#at + 1;
    this.#at = end + 1;
    return this.#source.slice(start, end);
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

  /** What comes next but for white space; not a number at the end. */
  #sign(): number {
    for (;;) {
      const code = this.#source.charCodeAt(this.#at);
      if (code > 0x20 || (code !== 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d)) return code;
      this.#at += 1;
    }
  }

  /** Goes behind the sign, if it is what comes next. */
  #skip(sign: number): boolean {
    if (this.#sign() !== sign) return false;
    this.#at += 1;
    return true;
  }

  /** Goes behind the number that stands here, if one does (RFC 8259 section 6). */
  #number(): boolean {
    const source = this.#source;
    let at = this.#at;
    if (source.charCodeAt(at) === minus) at += 1;
    const whole = this.#digits(at);
    // A zero begins no other number.
    if (whole === at || (whole > at + 1 && source.charCodeAt(at) === zero)) return false;
    at = whole;
    if (source.charCodeAt(at) === dot) {
      const end = this.#digits(at + 1);
      if (end === at + 1) return false;
      at = end;
    }
    const e = source.charCodeAt(at);
    if (e === lowerE || e === upperE) {
      const sign = source.charCodeAt(at + 1);
      const from = at + (sign === plus || sign === minus ? 2 : 1);
      const end = this.#digits(from);
      if (end === from) return false;
      at = end;
    }
    this.#at = at;
    return true;
  }

  /** Where the digits end that stand there. */
  #digits(from: number): number {
    let at = from;
    let code = this.#source.charCodeAt(at);
    while (code >= zero && code <= nine) code = this.#source.charCodeAt(++at);
    return at;
  }

  #literal(): boolean {
    const word = literals.find((each) => this.#source.startsWith(each, this.#at));
    if (word === undefined) return false;
    this.#at += word.length;
    return true;
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
