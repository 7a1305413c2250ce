// Bytes as text and back without loss. A terminal's output is text with anything in between; what is not valid UTF-8
// becomes lone surrogates, which valid text never holds, and the same bytes again.

/** U+DC80 to U+DCFF stand for the bytes 80 to FF. */
const escaped = 0xdc00;

/** Decodes a stream of bytes; a character that is split between two parts waits for its rest. */
export class ByteDecoder {
  readonly #strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #rest: Uint8Array = new Uint8Array(0);

  push(bytes: Uint8Array): string {
    const all = this.#rest.length === 0 ? bytes : concat(this.#rest, bytes);
    const whole = all.length - unfinished(all);
    this.#rest = all.slice(whole);
    return this.#decode(all.subarray(0, whole));
  }

  /** The beginning of a character that waits for its rest. */
  get rest(): Uint8Array {
    return this.#rest;
  }

  end(): string {
    const rest = this.#rest;
    this.#rest = new Uint8Array(0);
    return decodeMixed(rest);
  }

  #decode(bytes: Uint8Array): string {
    try {
      return this.#strict.decode(bytes);
    } catch {
      // Not all of it is UTF-8; the slow way keeps every byte.
      return decodeMixed(bytes);
    }
  }
}

/** The bytes of a text that a `ByteDecoder` gave, or of any text. */
export function encodeText(text: string): Uint8Array {
  if (!/[\ud800-\udfff]/.test(text)) return utf8.encode(text);
  const bytes = new Uint8Array(text.length * 3);
  let length = 0;
  let from = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    // The second half of a pair is never one of ours: it stands behind a first half.
    if (code >= 0xd800 && code <= 0xdbff && isSecondHalf(text.charCodeAt(at + 1))) at += 1;
    else if (code >= escaped + 0x80 && code <= escaped + 0xff) {
      if (from < at) length += utf8.encodeInto(text.slice(from, at), bytes.subarray(length)).written;
      bytes[length] = code - escaped;
      length += 1;
      from = at + 1;
    }
  }
  length += utf8.encodeInto(text.slice(from), bytes.subarray(length)).written;
  return bytes.subarray(0, length);
}

const isSecondHalf = (code: number): boolean => code >= 0xdc00 && code <= 0xdfff;

const utf8 = new TextEncoder();

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const all = new Uint8Array(a.length + b.length);
  all.set(a);
  all.set(b, a.length);
  return all;
}

/** How many bytes at the end are the beginning of a character (RFC 3629 section 4). */
function unfinished(bytes: Uint8Array): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const first = bytes[bytes.length - back] ?? 0;
    if ((first & 0xc0) === 0x80) continue;
    return characterLength(first) > back && isSound(bytes, bytes.length - back) ? back : 0;
  }
  return 0;
}

function characterLength(first: number): number {
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (first >= 0xe0 && first <= 0xef) return 3;
  return first >= 0xf0 && first <= 0xf4 ? 4 : 1;
}

/** Whether the bytes from `at` to the end can begin a character: the second one is what the first one allows. */
function isSound(bytes: Uint8Array, at: number): boolean {
  const first = bytes[at] ?? 0;
  const second = bytes[at + 1];
  if (second === undefined) return true;
  if (first === 0xe0) return second >= 0xa0;
  if (first === 0xed) return second <= 0x9f;
  if (first === 0xf0) return second >= 0x90;
  return first === 0xf4 ? second <= 0x8f : true;
}

function decodeMixed(bytes: Uint8Array): string {
  // A character of four bytes becomes two units; everything else has no more units than bytes.
  const units = new Uint16Array(bytes.length);
  let count = 0;
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at] ?? 0;
    const length = wholeLength(bytes, at, first);
    if (length === 0) units[count++] = first < 0x80 ? first : escaped + first;
    else if (length === 2) units[count++] = ((first & 0x1f) << 6) | sixBits(bytes, at + 1);
    else {
      const code = length === 3 ? first & 0x0f : first & 0x07;
      let point = (code << 12) | (sixBits(bytes, at + 1) << 6) | sixBits(bytes, at + 2);
      if (length === 4) {
        point = ((point << 6) | sixBits(bytes, at + 3)) - 0x10000;
        units[count++] = 0xd800 + (point >> 10);
        point = 0xdc00 + (point & 0x3ff);
      }
      units[count++] = point;
    }
    at += length || 1;
  }
  const parts: string[] = [];
  for (let at = 0; at < count; at += 4096) {
    parts.push(String.fromCharCode(...units.subarray(at, Math.min(at + 4096, count))));
  }
  return parts.join('');
}

/** How many bytes the character takes that begins at `at`; 0 for ASCII, and where none does. */
function wholeLength(bytes: Uint8Array, at: number, first: number): number {
  if (first < 0x80) return 0;
  const length = characterLength(first);
  if (length === 1 || at + length > bytes.length || !isSound(bytes, at)) return 0;
  for (let next = at + 1; next < at + length; next++) if (((bytes[next] ?? 0) & 0xc0) !== 0x80) return 0;
  return length;
}

const sixBits = (bytes: Uint8Array, at: number): number => (bytes[at] ?? 0) & 0x3f;
