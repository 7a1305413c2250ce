import type { HttpHeader } from '../../wire/http/exchange.ts';
import { soleHeader } from '../../wire/http/headers.ts';
import { badRequest } from './bad-request.ts';

/** Fields that APIs know, and that say nothing to the gateway. */
const passed = new Set([
  'accept',
  'accept-language',
  'cache-control',
  'content-disposition',
  'content-language',
  'content-type',
  'cookie',
  'idempotency-key',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'last-event-id',
  'origin',
  'pragma',
  'range',
  'referer',
  'sec-websocket-protocol',
  'user-agent',
  'x-correlation-id',
  'x-csrf-token',
  'x-request-id',
  'x-requested-with',
  'x-xsrf-token',
  // What led to the request, for the API's own traces (W3C Trace Context, W3C Baggage).
  'baggage',
  'traceparent',
  'tracestate',
]);

/** Fields by which a client would say for itself what only a proxy may: never passed on, whatever the configuration says. */
const claims = [
  /^x-forwarded(-|$)/,
  /^forwarded$/,
  /^x-real-ip$/,
  /^(x-)?(true-)?client-ip$/,
  /^cf-/,
  /^x-(remote|auth|authenticated|user|ssl|client-cert|original|rewrite|envoy|amzn|goog|ms-client-principal)(-|$)/,
  /^remote-/,
  /^via$/,
  /^sluice-/,
  /^proxy-/,
  /^sec-websocket-(key|version|extensions|accept)$/,
];

/** Fields by which some frameworks take a request for another one. */
const overrides = new Set(['x-http-method-override', 'x-http-method', 'x-method-override', 'x-http-method-overrides']);

/** Fields that the gateway writes itself, reads itself, or that belong to one connection. */
export const ownFields: ReadonlySet<string> = new Set([
  ...['accept-encoding', 'authorization', 'connection', 'content-encoding', 'content-length', 'expect', 'host'],
  ...['http2-settings', 'keep-alive', 'prefer', 'te', 'trailer', 'transfer-encoding', 'upgrade', ...overrides],
]);

/** An approval is for what these say, too; others tell requests apart that are the same. */
const volatile = new Set([
  'user-agent',
  'x-request-id',
  'x-correlation-id',
  'traceparent',
  'tracestate',
  'baggage',
  'idempotency-key',
  'cache-control',
  'pragma',
  'accept-language',
  'referer',
  'last-event-id',
]);

/**
 * Questions whose answers tell of bytes that are masked: how many there are, and whether they are what somebody thinks.
 * An API may leave them unanswered (RFC 9110 sections 13.1.2 and 14.2).
 */
const telling: Readonly<Record<string, (value: string, method: string) => boolean>> = {
  range: () => true,
  'if-range': () => true,
  'if-none-match': (value, method) => value !== '*' && (method === 'GET' || method === 'HEAD'),
};

/** The header without such questions. */
export function withoutTelling({ sent, dropped }: RequestHeaders, method: string): RequestHeaders {
  const tells = ([name, value]: HttpHeader): boolean =>
    Object.hasOwn(telling, name) && (telling[name]?.(value, method) ?? false);
  const names = sent.filter(tells).map(([name]) => name);
  return { sent: sent.filter((field) => !tells(field)), dropped: [...new Set([...dropped, ...names])].sort() };
}

/** Conditions on an entity tag that can't be left out: what is written would be written over something else. */
export function hasTagCondition(sent: readonly HttpHeader[]): boolean {
  return sent.some(([name, value]) => (name === 'if-match' || name === 'if-none-match') && value !== '*');
}

/** The client wants to be told at once that something waits for consent (RFC 7240 section 4.1). */
export function prefersAsync(headers: readonly HttpHeader[]): boolean {
  const prefer = soleHeader(headers, 'prefer');
  if (prefer === undefined) return false;
  return prefer
    .toLowerCase()
    .split(/[,;\s]+/)
    .includes('respond-async');
}

export interface RequestHeaders {
  /** What is passed on, names in lower case, in the order it came. */
  readonly sent: readonly HttpHeader[];
  /** Names of what is not, sorted, without those that every request has. */
  readonly dropped: readonly string[];
}

/**
 * What of a request's header reaches the target. Throws for fields that ask for another method than the one that is
 * judged. `own` is `authorization` where that field is the API's own; `secret` is the field in which the gateway proves
 * itself, if there is one.
 */
export function judgeHeaders(
  headers: readonly HttpHeader[],
  allowed: readonly string[],
  own: 'authorization' | undefined,
  secret?: string,
): RequestHeaders {
  const sent: HttpHeader[] = [];
  const dropped = new Set<string>();
  for (const [name, value] of headers) {
    if (overrides.has(name)) throw badRequest(`The header field "${name}" asks for another method.`);
    if (name === secret) dropped.add(name);
    else if (name === own) sent.push([name, value]);
    else if (ownFields.has(name)) continue;
    else if (name.includes('_') || claims.some((claim) => claim.test(name))) dropped.add(name);
    else if (passed.has(name) || allowed.includes(name)) sent.push([name, value]);
    else dropped.add(name);
  }
  return { sent, dropped: [...dropped].sort() };
}

/** Those of the fields that an approval is for. */
export function bindingHeaders(sent: readonly HttpHeader[]): readonly HttpHeader[] {
  return sent.filter(([name]) => !volatile.has(name));
}
