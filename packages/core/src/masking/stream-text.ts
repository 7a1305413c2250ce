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
  const bytes: number[] = [];
  for (const letter of text) {
    const code = letter.codePointAt(0) ?? 0;
    if (code >= escaped + 0x80 && code <= escaped + 0xff) bytes.push(code - escaped);
    else bytes.push(...utf8.encode(letter));
  }
  return Uint8Array.from(bytes);
}

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
  const [first = 0, second] = bytes.subarray(at, at + 2);
  if (second === undefined) return true;
  if (first === 0xe0) return second >= 0xa0;
  if (first === 0xed) return second <= 0x9f;
  if (first === 0xf0) return second >= 0x90;
  return first === 0xf4 ? second <= 0x8f : true;
}

function decodeMixed(bytes: Uint8Array): string {
  const parts: string[] = [];
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at] ?? 0;
    const length = characterLength(first);
    if (first < 0x80) parts.push(String.fromCharCode(first));
    else {
      try {
        if (length === 1 || at + length > bytes.length) throw new RangeError('not a character');
        parts.push(strict.decode(bytes.subarray(at, at + length)));
        at += length;
        continue;
      } catch {
        parts.push(String.fromCharCode(escaped + first));
      }
    }
    at += 1;
  }
  return parts.join('');
}
