/**
 * JSON (RFC 8259) as exactly one reader would have it: what two parsers could take for two things is refused. It reads
 * and writes whole documents; it knows no schema and nothing of what the values are for, and does not stream.
 */
import { SluiceError } from '@sluice/core/domain/error.ts';
import type { Json } from '@sluice/core/domain/json.ts';

export type JsonErrorCode = 'syntax' | 'encoding' | 'duplicate_member' | 'too_deep' | 'too_large' | 'number';

const messages: Readonly<Record<JsonErrorCode, string>> = {
  syntax: 'it is no JSON',
  encoding: 'it is no valid Unicode',
  duplicate_member: 'an object has the same member twice',
  too_deep: 'it is nested too deep',
  too_large: 'it is too large',
  number: 'a number has more digits than every reader keeps',
};

/** A document that is not read. Says where and why, and nothing of what stands there. */
export class JsonError extends SluiceError<JsonErrorCode> {
  /** In characters from 0. */
  readonly position: number;

  constructor(code: JsonErrorCode, position: number, options: { cause?: unknown } = {}) {
    super(code, 'client', `The JSON document can't be read: ${messages[code]} (at character ${position}).`, options);
    this.name = 'JsonError';
    this.position = position;
  }
}

export interface JsonLimits {
  /** Longest document, in bytes of UTF-8; for a text that is given as a string, in characters. */
  readonly bytes: number;
  /** Deepest nesting; 64 if absent. A number alone has depth 0. */
  readonly depth?: number;
  /** Most values in it; as many as there are bytes if absent. */
  readonly values?: number;
  /**
   * What becomes of a number that no double holds as it is written (an integer beyond 2^53, 18 digits, an exponent
   * beyond 308):
   * it is refused, or is given as a string with the digits that were written, and `inexact` is told where it stands.
   */
  readonly inexact?: 'refuse' | ((path: readonly string[], digits: string) => void);
  /** Half of a surrogate pair, escaped, is no character: refused if absent. */
  readonly loneSurrogates?: 'refuse' | 'keep';
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * One document. Throws `JsonError`: for what is no JSON, no UTF-8, begins with a byte order mark, has a member twice, or
 * is beyond the limits. Members of any name are own members, `__proto__` among them.
 */
export function parseStrictJson(source: Uint8Array | string, limits: JsonLimits): Json {
  if (source.length > limits.bytes) throw new JsonError('too_large', 0);
  if (typeof source === 'string') return new Parser(source, limits).document();
  let text: string;
  try {
    text = utf8.decode(source);
  } catch (cause) {
    throw new JsonError('encoding', 0, { cause });
  }
  return new Parser(text, limits).document();
}

/** The document in as few characters as it takes; the same value always gives the same text. */
export function serializeJson(value: Json): string {
  return JSON.stringify(value);
}

const backslash = 0x5c;
const quote = 0x22;
const number = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** Whether a double has all digits of a number with a fraction or an exponent, or as many as doubles are told apart by. */
function keeps(digits: string, value: number): boolean {
  const significant = digits
    .replace(/[eE].*$/, '')
    .replace(/[-.]/g, '')
    .replace(/^0+/, '');
  if (significant === '') return true;
  return Number.isFinite(value) && value !== 0 && significant.length <= 17;
}

class Parser {
  readonly #text: string;
  readonly #limits: JsonLimits;
  readonly #depth: number;
  readonly #path: string[] = [];
  #at = 0;
  #values: number;

  constructor(text: string, limits: JsonLimits) {
    this.#text = text;
    this.#limits = limits;
    this.#depth = limits.depth ?? 64;
    this.#values = limits.values ?? Number.POSITIVE_INFINITY;
  }

  document(): Json {
    const value = this.#value(0);
    this.#space();
    if (this.#at < this.#text.length) this.#fail('syntax');
    return value;
  }

  #value(depth: number): Json {
    this.#space();
    this.#values -= 1;
    if (this.#values < 0) this.#fail('too_large');
    const first = this.#text[this.#at];
    switch (first) {
      case '{':
        return this.#object(depth + 1);
      case '[':
        return this.#array(depth + 1);
      case '"':
        return this.#string();
      case 't':
        return this.#word('true', true);
      case 'f':
        return this.#word('false', false);
      case 'n':
        return this.#word('null', null);
      default:
        return this.#number();
    }
  }

  #object(depth: number): Json {
    this.#enter(depth);
    const members: Record<string, Json> = {};
    if (this.#ends('}')) return members;
    do {
      this.#space();
      if (this.#text.charCodeAt(this.#at) !== quote) this.#fail('syntax');
      const at = this.#at;
      const name = this.#string();
      if (Object.hasOwn(members, name)) throw new JsonError('duplicate_member', at);
      this.#space();
      this.#expect(':');
      this.#path.push(name);
      const value = this.#value(depth);
      this.#path.pop();
      if (name === '__proto__') {
        Object.defineProperty(members, name, { value, enumerable: true, configurable: true, writable: true });
      } else members[name] = value;
    } while (this.#continues('}'));
    return members;
  }

  #array(depth: number): Json {
    this.#enter(depth);
    const elements: Json[] = [];
    if (this.#ends(']')) return elements;
    do {
      this.#path.push(String(elements.length));
      elements.push(this.#value(depth));
      this.#path.pop();
    } while (this.#continues(']'));
    return elements;
  }

  #enter(depth: number): void {
    if (depth > this.#depth) this.#fail('too_deep');
    this.#at += 1;
  }

  #ends(bracket: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== bracket) return false;
    this.#at += 1;
    return true;
  }

  #continues(bracket: string): boolean {
    if (this.#ends(bracket)) return false;
    this.#expect(',');
    return true;
  }

  #expect(character: string): void {
    if (this.#text[this.#at] !== character) this.#fail('syntax');
    this.#at += 1;
  }

  #word<T extends Json>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) this.#fail('syntax');
    this.#at += word.length;
    return value;
  }

  #string(): string {
    this.#at += 1;
    let value = '';
    for (;;) {
      const from = this.#at;
      let code = this.#text.charCodeAt(from);
      while (code !== quote && code !== backslash && code >= 0x20) code = this.#text.charCodeAt(++this.#at);
      value += this.#text.slice(from, this.#at);
      if (code === quote) break;
      if (code !== backslash) this.#fail('syntax');
      value += this.#escape();
    }
    this.#at += 1;
    if (this.#limits.loneSurrogates !== 'keep' && /\p{Surrogate}/u.test(value)) this.#fail('encoding');
    return value;
  }

  #escape(): string {
    const letter = this.#text[this.#at + 1] ?? '';
    const simple = Object.hasOwn(escapes, letter) ? escapes[letter] : undefined;
    if (simple !== undefined) {
      this.#at += 2;
      return simple;
    }
    const digits = this.#text.slice(this.#at + 2, this.#at + 6);
    if (letter !== 'u' || !/^[0-9a-fA-F]{4}$/.test(digits)) this.#fail('syntax');
    this.#at += 6;
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  #number(): Json {
    number.lastIndex = this.#at;
    const match = number.exec(this.#text);
    if (!match) this.#fail('syntax');
    const at = this.#at;
    const [digits, fraction, exponent] = match;
    this.#at = number.lastIndex;
    const value = Number(digits);
    const whole = fraction === undefined && exponent === undefined;
    if (whole ? Number.isSafeInteger(value) : keeps(digits, value)) return value;
    const { inexact } = this.#limits;
    if (inexact === undefined || inexact === 'refuse') throw new JsonError('number', at);
    inexact([...this.#path], digits);
    return digits;
  }

  #space(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      this.#at += 1;
    }
  }

  #fail(code: JsonErrorCode): never {
    throw new JsonError(code, this.#at);
  }
}
