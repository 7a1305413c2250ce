import type { HttpHeader } from './exchange.ts';

const none: readonly string[] = [];

/** All values of a field, in order. `name` in lower case. */
export function headerValues(headers: readonly HttpHeader[], name: string): readonly string[] {
  const values: string[] = [];
  for (const [each, value] of headers) if (each === name) values.push(value);
  return values;
}

/** The value of a field that came exactly once; undefined when it is absent or came more than once. */
export function soleHeader(headers: readonly HttpHeader[], name: string): string | undefined {
  let sole: string | undefined;
  for (const [each, value] of headers) {
    if (each !== name) continue;
    if (sole !== undefined) return undefined;
    sole = value;
  }
  return sole;
}

/** Elements of a comma-separated list over all fields of the name (RFC 9110 section 5.6.1), in lower case. */
export function headerTokens(headers: readonly HttpHeader[], name: string): readonly string[] {
  const values = headerValues(headers, name);
  if (values.length === 0) return none;
  return values
    .flatMap((value) => value.split(','))
    .map((token) => token.trim().toLowerCase())
    .filter((token) => token !== '');
}

/** Names and values in turn, as Node has them, with names in lower case. */
export function fromRawHeaders(raw: readonly string[]): HttpHeader[] {
  const headers: HttpHeader[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    headers.push([(raw[at] ?? '').toLowerCase(), (raw[at + 1] ?? '').trim()]);
  }
  return headers;
}

/** `token` (RFC 9110 section 5.6.2) in lower case. */
export function isHeaderName(name: string): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name);
}

/** `field-value` (RFC 9110 section 5.5): no control characters but tabs within; nothing beyond one byte per character. */
export function isHeaderValue(value: string): boolean {
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if ((code < 0x20 && code !== 0x09) || code === 0x7f || code > 0xff) return false;
  }
  return true;
}
