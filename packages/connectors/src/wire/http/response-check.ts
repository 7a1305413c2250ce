import type { HttpHeader } from './exchange.ts';
import { headerTokens, isHeaderName, isHeaderValue } from './headers.ts';
import { HttpError } from './http-error.ts';

/** Fields of the connection, of framing, and what came behind a body: none of them is part of the answer. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'proxy-authenticate',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Fields that two readers could take for two things when they come twice. */
const single = new Set(['content-type', 'content-length', 'content-encoding', 'content-range', 'location', 'etag']);

const maxHeaders = 256;

/**
 * The header fields that are the answer's own. Throws `bad_response` for what not every reader reads the same way; the
 * parser has refused what is no HTTP at all.
 */
export function checkResponse(status: number, headers: readonly HttpHeader[]): readonly HttpHeader[] {
  const bad = (detail: string): never => {
    throw new HttpError('bad_response', 'The target sent an answer that can be read in more than one way.', { detail });
  };
  if (status > 599) bad(`status ${status}`);
  if (headers.length > maxHeaders) bad(`${headers.length} header fields`);
  const named = new Set(headerTokens(headers, 'connection'));
  const seen = new Set<string>();
  for (const [name, value] of headers) {
    if (!isHeaderName(name) || !isHeaderValue(value)) bad('a header field with an impossible name or value');
    if (single.has(name) && seen.has(name)) bad(`"${name}" comes more than once`);
    seen.add(name);
  }
  return headers.filter(([name]) => !hopByHop.has(name) && (!named.has(name) || single.has(name)));
}
