/**
 * Tells the literals of a text from the rest of it. Knows whole numbers of up to nine digits and plain strings in single
 * quotes, in texts of which there can be no two opinions: ASCII, no backslash, no dollar sign, no comment, no escape or
 * bit string, no string that goes on in the next line. Any other text has no skeleton. It understands nothing.
 */

export interface Literal {
  /** Offset in the text, of its first digit or its opening quote. */
  readonly at: number;
  readonly value: number | string;
}

export interface Skeleton {
  /** The text with a sign for each literal: the same for texts that differ in the values of their literals only. */
  readonly shape: string;
  /** In the order of the text; never empty. */
  readonly literals: readonly Literal[];
}

/** Longer texts are not worth a look at each character. */
const longestText = 16 * 1024;
/** What has more may not fit into 32 bits, and is something else to the grammar then. */
const mostDigits = 9;

/** Control characters, of which there are none in a text that has a skeleton. */
const integerSign = '\u0001';
const stringSign = '\u0002';

const other = 0;
const letter = 1;
const digit = 2;
const blank = 3;
const sign = 4;
const quote = 5;
const doubleQuote = 6;

const classes = new Uint8Array(128);
for (const [kind, characters] of [
  [letter, 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_'],
  [digit, '0123456789'],
  [blank, ' \t\n\r'],
  [sign, '+-*/<>=~!@#%^&|`?:;,.()[]'],
  [quote, "'"],
  [doubleQuote, '"'],
] as const) {
  for (const character of characters) classes[character.charCodeAt(0)] = kind;
}

function classAt(text: string, at: number): number {
  // Of what is not ASCII, and past the end, undefined.
  return classes[text.charCodeAt(at)] ?? other;
}

/** Undefined when it has no literals, or when there could be two opinions of where they are. */
export function skeletonOf(text: string): Skeleton | undefined {
  if (text.length > longestText) return undefined;
  const literals: Literal[] = [];
  let shape = '';
  let copied = 0;
  let at = 0;
  while (at < text.length) {
    const start = at;
    switch (classAt(text, at)) {
      case letter:
        at = endOfWord(text, at + 1);
        // E'…', B'…', U&'…' and their like; with a blank between, the word is a type.
        if (isQuote(classAt(text, at))) return undefined;
        break;
      case digit: {
        at = endOfNumber(text, at + 1);
        const after = classAt(text, at);
        if (at - start > mostDigits || after === letter || isQuote(after)) return undefined;
        if (text[at] === '.' || text[start - 1] === '.') return undefined;
        literals.push({ at: start, value: Number(text.slice(start, at)) });
        shape += text.slice(copied, start) + integerSign;
        copied = at;
        break;
      }
      case quote: {
        at = endOfQuoted(text, at + 1, quote);
        if (at < 0 || isPartOfMore(text, at)) return undefined;
        literals.push({ at: start, value: text.slice(start + 1, at - 1).replaceAll("''", "'") });
        shape += text.slice(copied, start) + stringSign;
        copied = at;
        break;
      }
      case doubleQuote:
        at = endOfQuoted(text, at + 1, doubleQuote);
        if (at < 0) return undefined;
        break;
      case blank:
        at++;
        break;
      case sign:
        at++;
        if (beginsMore(text, start)) return undefined;
        break;
      default:
        return undefined;
    }
  }
  return literals.length === 0 ? undefined : { shape: shape + text.slice(copied), literals };
}

function isQuote(kind: number): boolean {
  return kind === quote || kind === doubleQuote;
}

function endOfWord(text: string, from: number): number {
  let at = from;
  for (let kind = classAt(text, at); kind === letter || kind === digit; kind = classAt(text, at)) at++;
  return at;
}

function endOfNumber(text: string, from: number): number {
  let at = from;
  while (classAt(text, at) === digit) at++;
  return at;
}

/** Behind the closing quote; two quotes are one of the value. -1 where it is not closed, or holds what is refused. */
function endOfQuoted(text: string, from: number, closing: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0x7e || code === 0x5c || (code < 0x20 && classAt(text, at) !== blank)) return -1;
    if (classAt(text, at) !== closing) continue;
    if (classAt(text, at + 1) !== closing) return at + 1;
    at++;
  }
  return -1;
}

/** Whether a string that ends here goes on behind blanks (lexical structure, 4.1.2.1), or touches what it need not. */
function isPartOfMore(text: string, end: number): boolean {
  let at = end;
  while (classAt(text, at) === blank) at++;
  const next = classAt(text, at);
  return isQuote(next) || (at === end && (next === letter || next === digit));
}

/** The beginning of a comment, or of what may be one; U& before a quote. */
function beginsMore(text: string, at: number): boolean {
  const next = text[at + 1];
  switch (text[at]) {
    case '-':
      return next === '-';
    case '/':
      return next === '*';
    case '&':
      return next === "'" || next === '"';
    default:
      return false;
  }
}
