import { badRequest } from './bad-request.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Percent-decoding (RFC 3986 section 2.1), once. Throws for a `%` without two hexadecimal digits, for what is no UTF-8
 * (overlong forms and surrogates among it), and for NUL. `what` names the part for people.
 */
export function percentDecode(text: string, what: string): string {
  if (!text.includes('%')) return text;
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code !== 0x25) {
      bytes.push(code);
      continue;
    }
    const digits = text.slice(at + 1, at + 3);
    if (!/^[0-9a-fA-F]{2}$/.test(digits)) throw badRequest(`${what} has a "%" that is not followed by two digits.`);
    bytes.push(Number.parseInt(digits, 16));
    at += 2;
  }
  let decoded: string;
  try {
    decoded = utf8.decode(Uint8Array.from(bytes));
  } catch (cause) {
    throw badRequest(`${what} is not UTF-8 when it is decoded.`, cause);
  }
  if (decoded.includes('\0')) throw badRequest(`${what} has a NUL in it.`);
  return decoded;
}

/** Everything but unreserved characters and those in `plain` is encoded; the same text always gives the same. */
export function percentEncode(text: string, plain: string): string {
  let encoded = '';
  for (const byte of new TextEncoder().encode(text)) {
    const character = String.fromCharCode(byte);
    const kept = byte < 0x80 && (/[A-Za-z0-9._~-]/.test(character) || plain.includes(character));
    encoded += kept ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return encoded;
}
