/**
 * What our masks look like. A masked value must be told from data when a client sends it back, so every one that has
 * room for it carries a mark that ordinary data does not: a form of `#***#`, or a `masked_` fingerprint, or a UUID
 * with a version and a first field of our own. All of it is ASCII without quotes or backslashes, so that it comes
 * through JSON, CSV and SQL literals as it is, and none of it depends on the case of letters.
 */

/** In place of a hidden part, and of a whole value where `redacted` has no room. */
export const mark = '#***#';

/** In place of a whole value. */
export const redacted = '#*masked*#';

export type FingerprintKind = 'hash' | 'token';

const fingerprintLetters = { hash: 'h', token: 't' } as const;

/** Hex digits of a fingerprint: what is enough for any table, and the least we accept where a column is short. */
const fingerprintLengths = [32, 16] as const;

/** "mask" in ASCII; as the first field of a version 8 UUID (RFC 9562 section 5.8) nobody else's generator makes it. */
const uuidField = '6d61736b';

/** The text form of a fingerprint; undefined when not even the shortest fits. `digest` holds 16 bytes or more. */
export function fingerprintText(kind: FingerprintKind, digest: Uint8Array, maxLength: number): string | undefined {
  const prefix = `masked_${fingerprintLetters[kind]}`;
  const length = fingerprintLengths.find((digits) => prefix.length + digits <= maxLength);
  return length === undefined ? undefined : prefix + hex(digest).slice(0, length);
}

/** A valid UUID that stands for the digest (16 bytes or more). */
export function fingerprintUuid(digest: Uint8Array): string {
  const digits = hex(digest);
  const variant = '89ab'.charAt((digest[15] ?? 0) & 3);
  return [
    uuidField,
    digits.slice(0, 4),
    `8${digits.slice(4, 7)}`,
    `${variant}${digits.slice(7, 10)}`,
    digits.slice(10, 22),
  ].join('-');
}

const ours = new RegExp(
  [
    String.raw`#\*(?:\*|masked)\*#`,
    `masked_[${Object.values(fingerprintLetters).join('')}][0-9a-f]{${fingerprintLengths[1]}}`,
    // Databases take UUIDs with and without hyphens.
    `${uuidField}-?[0-9a-f]{4}-?8[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}`,
  ].join('|'),
  'i',
);

/** True for text that holds, anywhere, a value that a mask of ours could have produced. Linear in the text's length. */
export function isMasked(text: string): boolean {
  return ours.test(text);
}

/** One of these is in each mask of ours, in lower case. The last byte of it is what is looked for first. */
const signs = [mark, redacted, 'masked_', uuidField].map((text) => new TextEncoder().encode(text));
const telling: readonly (readonly Uint8Array[])[] = Array.from({ length: 256 }, (_, byte) =>
  signs.filter((sign) => sign.at(-1) === lowerCase(byte)),
);
/** Whether there are any, in less memory. */
const tells = Uint8Array.from(telling, (list) => list.length);

/** No sign is shorter, and of each the last so many bytes are looked for (Horspool's search, for all of them at once). */
const least = 5;
/** By the byte at a place where no sign ends: how far behind it is the first place where one can. */
const steps = new Uint8Array(256).fill(least);
for (let byte = 0; byte < 256; byte++) {
  for (const sign of signs) {
    const before = sign.slice(-least, -1).lastIndexOf(lowerCase(byte));
    if (before >= 0) steps[byte] = Math.min(steps[byte] as number, least - 1 - before);
  }
}

/**
 * False for bytes in whose text, in UTF-8, `isMasked` finds nothing, since none of the signs is in them. Many times
 * faster than making a text of them, above all where they are none.
 */
export function mayHoldMask(bytes: Uint8Array): boolean {
  let byte = 0;
  for (let at = least - 1; at < bytes.length; at += steps[byte] as number) {
    byte = bytes[at] as number;
    if (tells[byte] === 0) continue;
    for (const sign of telling[byte] as readonly Uint8Array[]) if (endsWith(bytes, at + 1, sign)) return true;
  }
  return false;
}

function endsWith(bytes: Uint8Array, end: number, sign: Uint8Array): boolean {
  const start = end - sign.length;
  if (start < 0) return false;
  for (let at = 0; at < sign.length; at++) if (lowerCase(bytes[start + at] as number) !== sign[at]) return false;
  return true;
}

function lowerCase(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
}

function hex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}
