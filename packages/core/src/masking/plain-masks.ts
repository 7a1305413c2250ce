/**
 * Partial masks of values as almost all of them are written, in ASCII and without anything odd, from bytes to bytes:
 * these run over every masked cell of a result, where making a text of the value costs several times what masking it
 * does. What `partialMask` defines is what they give; -1 sends everybody else to it, and says nothing about the value.
 */
import type { PlainMask } from '../contract/labels.ts';
import type { PartialKind } from './partial.ts';
import { mark } from './sentinel.ts';

const plus = 0x2b;
const dot = 0x2e;
const at = 0x40;
const space = 0x20;

/** What a byte may be part of: bits. */
const alphanumeric = 1;
const letter = 2;
/** Of what stands before the @ of an address, and of what stands behind it. */
const local = 4;
const domain = 8;
const digit = 16;
/** Between the digits of a number. */
const between = 32;

const kindOf = new Uint8Array(256);
for (let byte = 0; byte < 256; byte++) {
  const text = String.fromCharCode(byte);
  kindOf[byte] =
    (/[0-9A-Za-z]/.test(text) ? alphanumeric : 0) |
    (/[A-Za-z]/.test(text) ? letter : 0) |
    (/[!-~]/.test(text) && !/["@]/.test(text) ? local : 0) |
    (/[!-~]/.test(text) && !/["@[\]]/.test(text) ? domain : 0) |
    (/[0-9]/.test(text) ? digit : 0) |
    (/[ ().\-/]/.test(text) ? between : 0);
}

const markBytes = [0, 1, 2, 3, 4].map((index) => mark.charCodeAt(index));
if (markBytes.length !== mark.length) throw new Error('the mark has another length than it is written with');

/** a@b.cd with two more letters in front, and 64, 255 and 12 characters where there may be so many. */
const shortestAddress = 8;
const longestAddress = 333;

/** An address: its first letter, where three plain ones are its first, and its top-level domain. */
function email(from: Uint8Array, start: number, end: number, into: Uint8Array, to: number): number {
  if (end - start > longestAddress || end - start < shortestAddress || !startsPlain(from, start, 3)) return -1;
  let index = start + 3;
  while (index < end && ((kindOf[from[index] as number] as number) & local) !== 0) index++;
  if (index === end || from[index] !== at || index - start > 64) return -1;
  const domainAt = index + 1;
  let top = end;
  while (top > domainAt && ((kindOf[from[top - 1] as number] as number) & letter) !== 0) top--;
  const letters = end - top;
  const domainLength = top - 1 - domainAt;
  if (letters < 2 || letters > 12 || domainLength < 1 || domainLength > 255 || from[top - 1] !== dot) return -1;
  for (index = domainAt; index < top; index++)
    if (((kindOf[from[index] as number] as number) & domain) === 0) return -1;
  into[to] = from[start] as number;
  let out = putMark(into, to + 1);
  into[out] = at;
  out = putMark(into, out + 1);
  into[out++] = dot;
  for (index = top; index < end; index++) into[out++] = from[index] as number;
  return out;
}

/** The last two digits of a number of 7 to 18 digits. */
function phone(from: Uint8Array, start: number, end: number, into: Uint8Array, to: number): number {
  const first = from[start] === plus ? start + 1 : start;
  if (end - first < 7 || end - first > 40 || from[first] === space || from[end - 1] === space) return -1;
  let digits = 0;
  let last = 0;
  let beforeLast = 0;
  for (let index = first; index < end; index++) {
    const byte = from[index] as number;
    const kind = kindOf[byte] as number;
    if ((kind & digit) !== 0) {
      digits++;
      beforeLast = last;
      last = byte;
    } else if ((kind & between) === 0) {
      return -1;
    }
  }
  if (digits < 7 || digits > 18) return -1;
  const out = putMark(into, to);
  into[out] = beforeLast;
  into[out + 1] = last;
  return out + 2;
}

/** The first letter or digit, where four of them are the first. */
function plain(from: Uint8Array, start: number, end: number, into: Uint8Array, to: number): number {
  if (end - start < 4 || !startsPlain(from, start, 4)) return -1;
  // What is no text at all is told by its bytes, all of them.
  for (let index = start + 4; index < end; index++) if ((from[index] as number) > 0x7f) return -1;
  into[to] = from[start] as number;
  return putMark(into, to + 1);
}

function startsPlain(from: Uint8Array, start: number, count: number): boolean {
  let kinds = alphanumeric;
  for (let index = start; index < start + count; index++) kinds &= kindOf[from[index] as number] as number;
  return kinds !== 0;
}

/** Byte by byte, as a loop takes four times as long. Returns where the mark ends. */
function putMark(into: Uint8Array, to: number): number {
  into[to] = markBytes[0] as number;
  into[to + 1] = markBytes[1] as number;
  into[to + 2] = markBytes[2] as number;
  into[to + 3] = markBytes[3] as number;
  into[to + 4] = markBytes[4] as number;
  return to + markBytes.length;
}

/** Undefined for kinds whose values are looked at in other ways. */
export const plainMasks: Readonly<Record<PartialKind, PlainMask | undefined>> = {
  email: { longest: 1 + 2 * mark.length + 2 + 12, write: email },
  phone: { longest: mark.length + 2, write: phone },
  plain: { longest: 1 + mark.length, write: plain },
  card: undefined,
  iban: undefined,
};
