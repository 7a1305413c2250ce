import type { HttpHeader, HttpRequestHead } from './exchange.ts';
import { headerTokens, headerValues, isHeaderName, isHeaderValue } from './headers.ts';

/** Why a head can't be an exchange. `reason` holds nothing of the request. */
export interface BadHead {
  readonly status: number;
  readonly reason: string;
}

export type CheckedHead =
  | { readonly head: HttpRequestHead; readonly bad?: undefined }
  | { readonly bad: BadHead; readonly head?: undefined };

const maxHeaders = 128;
const maxPath = 16 * 1024;

/** Fields that two readers could take for two things when they come twice. */
const single = new Set([
  'host',
  'content-length',
  'content-type',
  'content-encoding',
  'transfer-encoding',
  'authorization',
  'sluice-authorization',
  'proxy-authorization',
  'expect',
  'upgrade',
  'origin',
  'range',
  'referer',
  'traceparent',
  'user-agent',
]);

/** reg-name, IPv4 or IP-literal, and a port (RFC 3986 section 3.2), without userinfo and without percent-encoding. */
const hostPort = /^(?:[a-z0-9_](?:[a-z0-9._-]{0,252}[a-z0-9_.])?|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/;

/**
 * What every reader of the head reads the same way, or a refusal. `authority` is `:authority` of HTTP/2, and undefined
 * where there was none; pseudo fields are not among `headers`.
 */
export function checkHead(
  version: HttpRequestHead['version'],
  method: string,
  path: string,
  authority: string | undefined,
  headers: readonly HttpHeader[],
): CheckedHead {
  const bad = (reason: string, status = 400): CheckedHead => ({ bad: { status, reason } });
  if (!/^[A-Z][A-Z-]{0,31}$/.test(method)) return bad('The method is not one that HTTP has.');
  if (path.length > maxPath) return bad(`The request target is longer than ${maxPath} characters.`, 414);
  if (!/^\/[\x21-\x7e]*$/.test(path) || path.includes('#')) {
    return bad('The request target must be a path that begins with "/", in visible ASCII and without a fragment.');
  }
  if (headers.length > maxHeaders) return bad(`There are more than ${maxHeaders} header fields.`, 431);
  const seen = new Set<string>();
  for (const [name, value] of headers) {
    if (!isHeaderName(name)) return bad('A header field has an impossible name.');
    if (!isHeaderValue(value)) return bad('A header field holds control characters.');
    if (single.has(name) && seen.has(name)) return bad(`The header field "${name}" comes more than once.`);
    seen.add(name);
  }
  const framing = checkFraming(version, headers);
  if (framing) return bad(framing);
  const [host] = headerValues(headers, 'host');
  const name = (authority ?? host ?? '').toLowerCase();
  if (authority !== undefined && host !== undefined && host.toLowerCase() !== name) {
    return bad('":authority" and "Host" name two different hosts.');
  }
  if (name === '' ? version !== '1.0' || host !== undefined : !hostPort.test(name)) {
    return bad('The host is missing or is no host name.');
  }
  return { head: { version, method, path, authority: name, headers } };
}

/** RFC 9112 section 6.3, without the leniency that it allows. */
function checkFraming(version: HttpRequestHead['version'], headers: readonly HttpHeader[]): string | undefined {
  const [coding] = headerValues(headers, 'transfer-encoding');
  const [length] = headerValues(headers, 'content-length');
  if (coding !== undefined) {
    if (version !== '1.1') return 'Only HTTP/1.1 has "Transfer-Encoding".';
    if (coding.toLowerCase() !== 'chunked') return 'The only transfer coding that is understood is "chunked".';
    if (length !== undefined) return '"Content-Length" and "Transfer-Encoding" contradict each other.';
  }
  if (length !== undefined && !/^\d{1,15}$/.test(length)) return '"Content-Length" is not a number.';
  // What a proxy before us was told to take out, it would have taken out.
  const named = headerTokens(headers, 'connection');
  if (named.some((token) => single.has(token) && token !== 'upgrade')) {
    return '"Connection" names a header field that belongs to the request.';
  }
  return undefined;
}
