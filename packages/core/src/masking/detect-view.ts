import { beginsControl, type ControlKind, controlEnd, readControl } from './detect-control.ts';
import { escapedQuote } from './detector.ts';

/**
 * What somebody reads in a text: control sequences and invisible characters left out, characters that are written in
 * another way (percent encoding, JSON's and HTML's escapes, full width) as they are. It remembers where in the source
 * each character stands.
 */
export interface View {
  readonly text: string;
  /** Source offsets of each character; undefined where the view is the source. */
  readonly starts: Int32Array | undefined;
  readonly ends: Int32Array | undefined;
  /** Source ranges of texts within control sequences, which are read for themselves. */
  readonly contents: readonly Range[];
  /** Source ranges that are too long to look at, and must not be shown. */
  readonly dropped: readonly Range[];
  /** How much of the source is in the view; behind it is the beginning of something. */
  readonly length: number;
  /** What that beginning is of: a control sequence, or a character written in another way. */
  readonly begun: 'control' | 'character' | undefined;
  /** The kind of control that is open, and being dropped, at the end of the source. */
  readonly dropping: ControlKind | undefined;
}

export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Whether a text is more than it seems: everything `readView` treats in a way of its own. */
const plain =
  /^[\t\n\r -$'-[\]-~\u00a1-\u00ac\u00ae-\u065f\u0670-\u06ef\u06fa-\u1fff\u2100-\u2fff\u3001-\ufefe\uff5f-\uffff]*$/;

/** `before` is what the text before ended with, `dropping` the control that was open there. */
export function readView(source: string, final: boolean, before: string, dropping: ControlKind | undefined): View {
  if (dropping === undefined && plain.test(source)) {
    const rest = { contents: [], dropped: [], begun: undefined, dropping: undefined };
    return { text: source, starts: undefined, ends: undefined, length: source.length, ...rest };
  }
  const reader = new Reader(source, final, before);
  reader.read(dropping);
  return reader;
}

/** What a character is read as, and where it ends; undefined when more is needed to tell. */
type Character = { readonly reads: string; readonly end: number } | undefined;

class Reader implements View {
  text = '';
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly contents: Range[] = [];
  readonly dropped: Range[] = [];
  length = 0;
  begun: 'control' | 'character' | undefined;
  dropping: ControlKind | undefined;
  readonly #source: string;
  readonly #final: boolean;
  #last: string;
  #gap = 0;

  constructor(source: string, final: boolean, before: string) {
    this.#source = source;
    this.#final = final;
    this.starts = new Int32Array(source.length);
    this.ends = new Int32Array(source.length);
    this.#last = before.slice(-1);
  }

  read(dropping: ControlKind | undefined): void {
    if (dropping !== undefined && !this.#dropRest(dropping)) return;
    const source = this.#source;
    while (this.length < source.length) {
      const at = this.length;
      const code = source.charCodeAt(at);
      if (isPlain(code)) {
        this.#addPlain(at);
        continue;
      }
      if (beginsControl(code)) {
        if (!this.#readControl(at)) return;
        continue;
      }
      const character = this.#character(at, code);
      if (character === undefined) {
        this.begun = 'character';
        return;
      }
      this.#add(character.reads, at, character.end);
    }
  }

  /** False when the source ends before the control does. */
  #dropRest(kind: ControlKind): boolean {
    const end = controlEnd(this.#source, 0, kind);
    this.dropped.push({ start: 0, end: end ?? this.#source.length });
    this.length = end ?? this.#source.length;
    if (end === undefined) this.dropping = kind;
    return end !== undefined;
  }

  #readControl(at: number): boolean {
    const control = readControl(this.#source, at, this.#final);
    if (control === undefined) {
      this.begun = 'control';
      return false;
    }
    const { end, reads, content, oversized } = control;
    if (oversized !== undefined) {
      this.dropped.push({ start: at, end });
      if (oversized === 'open') this.dropping = isSequence(this.#source, at) ? 'sequence' : 'string';
    } else if (content !== undefined && content.end > content.start) this.contents.push(content);
    this.#add(reads, at, end);
    return true;
  }

  #add(reads: string, start: number, end: number): void {
    this.length = end;
    if (reads === '') {
      // So much that nobody sees between two characters is not there to split a word; and it must be held no longer.
      this.#gap += end - start;
      if (this.#gap <= widestGap) return;
    }
    this.#gap = 0;
    this.#last = reads === '' ? '\n' : reads;
    this.starts[this.text.length] = start;
    this.ends[this.text.length] = end;
    this.text += this.#last;
  }

  /** All at once what is read as it stands. */
  #addPlain(start: number): void {
    let count = this.text.length;
    let end = start;
    while (isPlain(this.#source.charCodeAt(end))) {
      this.starts[count] = end;
      end += 1;
      this.ends[count] = end;
      count += 1;
    }
    this.text += this.#source.slice(start, end);
    this.length = end;
    this.#gap = 0;
    this.#last = this.#source.charAt(end - 1);
  }

  #character(at: number, code: number): Character {
    if (code === 0x25) return this.#percent(at);
    if (code === 0x5c) return this.#backslash(at);
    if (code === 0x26) return this.#entity(at);
    if (code === 0x08) return this.#backspace(at);
    return { reads: readsAs(code) ?? this.#source.charAt(at), end: at + 1 };
  }

  /** RFC 3986 section 2.1, for what is a sign of ASCII. */
  #percent(at: number): Character {
    return this.#coded(at, 1, '%', 2, 16);
  }

  /** RFC 8259 section 7. */
  #backslash(at: number): Character {
    const next = this.#source.charAt(at + 1);
    if (next === '') return this.#final ? { reads: '\\', end: at + 1 } : undefined;
    if (next === 'u') return this.#coded(at, 2, '\\', 4, 16);
    const reads = { n: '\n', r: '\r', t: '\t', '"': escapedQuote, '/': '/', '\\': '\\' }[next];
    return reads === undefined ? { reads: '\\', end: at + 1 } : { reads, end: at + 2 };
  }

  /** `&#64;` and `&#x40;`. */
  #entity(at: number): Character {
    const digits = /^&#(?:x[0-9a-f]{0,6}|\d{0,7});?/iy;
    const text = this.#source.slice(at, at + 12);
    const found = digits.exec(text)?.[0] ?? '&';
    const whole = { reads: '&', end: at + 1 };
    if (found.endsWith(';')) {
      const hex = found[2] === 'x' || found[2] === 'X';
      const code = Number.parseInt(found.slice(hex ? 3 : 2), hex ? 16 : 10);
      return printable(code) ? { reads: String.fromCharCode(code), end: at + found.length } : whole;
    }
    return !this.#final && at + found.length === this.#source.length ? undefined : whole;
  }

  /** A character, struck twice to make it bold. */
  #backspace(at: number): Character {
    const next = this.#source.charAt(at + 1);
    if (next === '' && !this.#final) return undefined;
    if (next === '' || next !== this.#last) return { reads: '', end: at + 1 };
    // It is part of the character before, if that is still here.
    if (this.text !== '') this.ends[this.text.length - 1] = at + 2;
    return { reads: '', end: at + 2 };
  }

  /** `length` digits behind `skip` characters. */
  #coded(at: number, skip: number, instead: string, length: number, base: number): Character {
    const text = this.#source.slice(at + skip, at + skip + length);
    const whole = { reads: instead, end: at + 1 };
    if (!/^[0-9a-f]*$/i.test(text)) return whole;
    if (text.length < length) return this.#final ? whole : undefined;
    const code = Number.parseInt(text, base);
    return printable(code) ? { reads: String.fromCharCode(code), end: at + skip + length } : whole;
  }
}

/** How many characters of the source that nobody sees may stand between two that one reads as neighbours. */
const widestGap = 8192;

/** Printable ASCII that is not the beginning of a character written in another way, and white space. */
const isPlain = (code: number): boolean =>
  (code >= 0x20 && code <= 0x7e && code !== 0x25 && code !== 0x26 && code !== 0x5c) ||
  code === 9 ||
  code === 10 ||
  code === 13;

const printable = (code: number): boolean => (code >= 0x20 && code <= 0x7e) || (code >= 0xc0 && code <= 0x24f);

function isSequence(source: string, at: number): boolean {
  const code = source.charCodeAt(at);
  return code === 0x9b || (code === 0x1b && source.charAt(at + 1) === '[');
}

/** What a character is read as where that is not itself; the empty text for what nobody sees. */
function readsAs(code: number): string | undefined {
  if (code < 0x20) return code === 9 || code === 10 || code === 13 ? undefined : '';
  if (code < 0x7f) return undefined;
  if (code <= 0x9f) return '';
  if (code === 0xa0 || code === 0x202f || code === 0x3000 || (code >= 0x2000 && code <= 0x200a)) return ' ';
  if (code === 0xad || (code >= 0x200b && code <= 0x200f) || (code >= 0x202a && code <= 0x202e)) return '';
  if ((code >= 0x2060 && code <= 0x206f) || code === 0xfeff) return '';
  if (code === 0x2028 || code === 0x2029) return '\n';
  if (code >= 0x2010 && code <= 0x2015) return '-';
  // Full-width forms of ASCII.
  if (code >= 0xff01 && code <= 0xff5e) return String.fromCharCode(code - 0xfee0);
  // Digits of Arabic and Persian.
  if (code >= 0x660 && code <= 0x669) return String.fromCharCode(code - 0x660 + 48);
  if (code >= 0x6f0 && code <= 0x6f9) return String.fromCharCode(code - 0x6f0 + 48);
  return undefined;
}
