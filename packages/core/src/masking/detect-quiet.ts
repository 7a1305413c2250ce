import { cloudKeyPrefixes } from './detect-cloud-key.ts';
import { ibanCountries } from './detect-iban.ts';
import { isAlphanumeric } from './detector.ts';

// Finds out, many times faster than the detectors do, that there is nothing for them to find: every value holds one of
// the signs here, all of it on the line where the value begins. A sign says nothing by itself. Each is wider than what
// its detectors look for, never narrower.

/** As they are written: what tokens and keys begin with. E-mail addresses and URLs with a password have an `@`. */
const exact: readonly string[] = ['eyJ', ...cloudKeyPrefixes];

/** In any case: parts of the names of secrets, which are put together with others. */
const parts: readonly string[] =
  'passw passphrase pwd secret token api_key api-key apikey accountkey sharedaccesskey private_key'.split(' ');

/** In any case: names of secrets and numbers that stand alone. */
const names: readonly string[] = 'authorization bsn ssn burgerservicenummer sofinummer social'.split(' ');

/** What numbers look like; tried on lines that have enough digits close together. */
const number = new RegExp(
  [
    // Cards and long national numbers, in groups or not; then the shorter ones in the forms they have.
    '[0-9](?:[ ./-]?[0-9]){12}',
    '[0-9]{11}',
    '[0-9]{8}-?[A-Z]',
    '[0-9]{3}-[0-9]{2}-[0-9]{4}',
    '[0-9]{2}\\.[0-9]{2}\\.[0-9]{2}-',
    '[0-9]{3}\\.[0-9]{3}\\.[0-9]{3}-',
    // Tax codes of Italy, IBANs, telephone numbers.
    '[a-zA-Z]{6}[0-9]{2}[a-zA-Z][0-9]{2}[a-zA-Z][0-9]{3}',
    `(?:${ibanCountries.map((code) => code.replace(/[A-Z]/g, (letter) => `[${letter}${letter.toLowerCase()}]`)).join('|')})[0-9]{2}(?:[ -]?[a-zA-Z0-9]){11}`,
    '\\+(?:[ ()./-]{0,3}[0-9]){9}',
  ].join('|'),
);

interface Word {
  readonly text: string;
  readonly anyCase: boolean;
  /** Only where no letter or digit stands before. */
  readonly starts: boolean;
}

/** By the first two characters, 128 for each: the words that begin so. */
const words: (readonly Word[] | undefined)[] = Array.from({ length: 128 * 128 });
addWord({ text: 'BEGIN ', anyCase: false, starts: false });
for (const text of exact) addWord({ text, anyCase: false, starts: true });
for (const text of parts) addWord({ text, anyCase: true, starts: false });
for (const text of names) addWord({ text, anyCase: true, starts: true });
/** Whether there are any, in less memory. */
const begins = Uint8Array.from(words, (list) => (list ? 1 : 0));

function addWord(word: Word): void {
  const [first = '', second = ''] = word.text;
  const either = (sign: string) => (word.anyCase ? new Set([sign, sign.toUpperCase()]) : [sign]);
  for (const one of either(first)) {
    for (const two of either(second)) {
      const place = one.charCodeAt(0) * 128 + two.charCodeAt(0);
      words[place] = [...(words[place] ?? []), word];
    }
  }
}

const other = 0;
const digit = 1;
const letter = 2;
/** Between the groups of a number. */
const separator = 3;
const plus = 4;
/** May be the beginning of a character that is written in another way. */
const coding = 5;
/** Does not read as it stands, or is a sign. */
const telling = 6;

const kinds = Uint8Array.from({ length: 128 }, (_, code) => {
  const sign = String.fromCharCode(code);
  if (/[0-9]/.test(sign)) return digit;
  if (/[a-zA-Z]/.test(sign)) return letter;
  if (' ./-'.includes(sign)) return separator;
  if (sign === '+') return plus;
  if (sign === '%' || sign === '&') return coding;
  return code === 9 || code === 10 || code === 13 || (code > 32 && code < 127 && !'@\\'.includes(sign))
    ? other
    : telling;
});

const esc = String.fromCharCode(0x1b);

/** Sequences of terminals that are nothing to a reader: colours, erasing in a line, modes (ECMA-48 section 8.3). */
const unseen = new RegExp(`${esc}\\[[0-9;:?]{0,32}[mKhl]`, 'g');

/** The end of the lines from `from` on that are whole and hold no sign of a value. */
export function quietEnd(text: string, from: number): number {
  let end = from;
  for (;;) {
    end += quietLines(end === 0 ? text : text.slice(end));
    const next = text.indexOf('\n', end) + 1;
    if (next === 0) return end;
    // Colours are most of what makes a line look like more than text.
    const line = text.slice(end, next);
    if (!line.includes(esc)) return end;
    const read = line.replace(unseen, '');
    if (quietLines(read) < read.length) return end;
    end = next;
  }
}

/** Whether a text, whole, holds no sign of a value. */
export function isQuiet(text: string): boolean {
  if (isQuietLine(text, 0, text.length)) return true;
  if (!text.includes('\n') && !text.includes(esc)) return false;
  // Lines say nothing about one another, so that a copy with a line break at its end is made of the last one alone.
  const last = text.lastIndexOf('\n') + 1;
  if (last > 0 && quietEnd(text, 0) < last) return false;
  const line = `${last > 0 ? text.slice(last) : text}\n`;
  return quietEnd(line, 0) === line.length;
}

/**
 * Whether a part of a text, as a text of its own, is one line without any sign of a value, escape sequence or control.
 * What stands behind it may make it look as if there were one, and never as if there were none.
 */
export function isQuietLine(text: string, from: number, to: number): boolean {
  return quietUntil(text, from, to, true) === to;
}

/** How much of the text is whole lines without any sign of a value, escape sequence or control. */
function quietLines(text: string): number {
  return quietUntil(text, 0, text.lastIndexOf('\n') + 1, false);
}

/** `single`: the part is one line, whether or not a line break follows it. */
function quietUntil(text: string, from: number, end: number, single: boolean): number {
  let start = from;
  let before = 0;
  /** Digits with at most one separator between them, and those of them since the last separator. */
  let digits = 0;
  let solid = 0;
  let letters = 0;
  let number = false;
  for (let at = from; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code > 127) {
      if (!readsAsItself(code)) return start;
      before = digits = solid = letters = 0;
      continue;
    }
    if (begins[before * 128 + code] === 1 && isWord(text, at - 1, before, code)) return start;
    before = code;
    switch (kinds[code]) {
      case digit:
        if (letters === 2 || letters >= 6) number = true;
        letters = 0;
        digits += 1;
        solid += 1;
        if (digits >= 11 || (solid === 4 && digits >= 9)) number = true;
        else if (solid === 8 && letterFollows(text.charCodeAt(at + 1))) number = true;
        break;
      case letter:
        letters += 1;
        digits = solid = 0;
        break;
      case separator:
        letters = 0;
        if (solid === 0) digits = 0;
        solid = 0;
        break;
      case plus:
        number = true;
        digits = solid = letters = 0;
        break;
      case coding:
        if (isCoded(text, at)) return start;
        digits = solid = letters = 0;
        break;
      case telling:
        return start;
      default:
        digits = solid = letters = 0;
        if (code !== 10) break;
        if (single) return start;
        if (number && hasNumber(text.slice(start, at))) return start;
        number = false;
        start = at + 1;
    }
  }
  if (!single || (number && hasNumber(text.slice(from, end)))) return start;
  return end;
}

function isWord(text: string, at: number, first: number, second: number): boolean {
  const inside = isAlphanumeric(text.charCodeAt(at - 1));
  for (const word of words[first * 128 + second] ?? []) {
    if (inside && word.starts) continue;
    const found = text.slice(at, at + word.text.length);
    if ((word.anyCase ? found.toLowerCase() : found) === word.text) return true;
  }
  return false;
}

/** As behind the eight digits of a Spanish number, with or without a hyphen between. */
function letterFollows(code: number): boolean {
  return code === 45 || (code >= 65 && code <= 90);
}

function hasNumber(line: string): boolean {
  return number.test(line);
}

function isCoded(text: string, at: number): boolean {
  return text[at] === '&' ? text[at + 1] === '#' : /^[0-9a-f]{2}/i.test(text.slice(at + 1, at + 3));
}

/** Of characters beyond ASCII; those that are neither invisible nor taken for others. */
function readsAsItself(code: number): boolean {
  if (code < 0x660) return code > 0xa0 && code !== 0xad;
  return (
    (code > 0x66f && code < 0x6f0) ||
    (code > 0x6f9 && code < 0x2000) ||
    (code > 0x20ff && code < 0x3000) ||
    (code > 0x3000 && code < 0xfeff) ||
    code > 0xff5e
  );
}
