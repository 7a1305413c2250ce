import type { TextMaskers } from '@sluice/core/contract/labels.ts';
import type { HttpHeader } from '../../wire/http/exchange.ts';
import { isHeaderValue } from '../../wire/http/headers.ts';

/** Where a target is, for clients and for itself. */
export interface Place {
  /** What goes in front of its paths for clients: `/t/crm`, or nothing. */
  readonly prefix: string;
  /** `host[:port]` that it is sent as its Host. */
  readonly authority: string;
  readonly basePath: string;
}

/** Fields by which a target would speak for the gateway, or lead clients past it. */
const dropped = new Set([
  'alt-svc',
  'clear-site-data',
  'expect-ct',
  'http2-settings',
  'public-key-pins',
  'public-key-pins-report-only',
  'sec-websocket-accept',
  'sluice-decision',
  'strict-transport-security',
  'trailer',
]);

/** Fields whose values are of the protocol, not of people. */
const structural = new Set([
  'accept-ranges',
  'age',
  'allow',
  'cache-control',
  'content-encoding',
  'content-language',
  'content-length',
  'content-range',
  'content-type',
  'date',
  'expires',
  'last-modified',
  'pragma',
  'retry-after',
  'vary',
]);

/** What was computed over the bytes as the target sent them. */
const overBytes = new Set(['content-length', 'content-md5', 'content-digest', 'digest', 'repr-digest', 'etag']);

/** The header fields of an answer as the client gets them. `sameBytes`: its body is passed on as it is. */
export function answerHeaders(
  headers: readonly HttpHeader[],
  place: Place,
  texts: TextMaskers,
  sameBytes: boolean,
): readonly HttpHeader[] {
  const passed = headers.filter(([name]) => !dropped.has(name) && (sameBytes || !overBytes.has(name)));
  const written = passed.map(([name, value]): HttpHeader => {
    if (name === 'location' || name === 'content-location') return [name, masked(locationFor(value, place), texts)];
    if (name === 'set-cookie') return [name, masked(cookieFor(value, place), texts)];
    if (name === 'cache-control') return [name, privately(value)];
    return structural.has(name) ? [name, value] : [name, masked(value, texts)];
  });
  // What one principal may see, no cache between here and there may give to another.
  return written.some(([name]) => name === 'cache-control') ? written : [...written, ['cache-control', 'private']];
}

/** A redirect within the target stays behind the gateway. */
export function locationFor(value: string, { prefix, authority, basePath }: Place): string {
  let path = value;
  const absolute = /^(?:https?:)?\/\/([^/?#]*)(.*)$/i.exec(value);
  if (absolute) {
    const [, host = '', rest = ''] = absolute;
    if (
      host.toLowerCase() !== authority.toLowerCase() &&
      host.toLowerCase() !== authority.replace(/:\d+$/, '').toLowerCase()
    ) {
      return value;
    }
    path = rest.startsWith('/') ? rest : `/${rest}`;
  }
  // What is relative to the request's own path needs nothing in front.
  if (!path.startsWith('/')) return path;
  const below =
    basePath !== '' && (path === basePath || path.startsWith(`${basePath}/`)) ? path.slice(basePath.length) : path;
  return `${prefix}${below.startsWith('/') ? below : `/${below}`}`;
}

/** RFC 6265 section 4.1.2: a cookie belongs to the name that the client called, and to the paths of its target. */
export function cookieFor(value: string, { prefix, basePath }: Place): string {
  const [pair = '', ...attributes] = value.split(';');
  const kept = attributes.flatMap((attribute) => {
    const [name = '', ...rest] = attribute.split('=');
    const key = name.trim().toLowerCase();
    if (key === 'domain' || key === 'path') return key === 'path' ? [` Path=${pathFor(rest.join('='))}`] : [];
    return [attribute];
  });
  const hasPath = kept.some((attribute) => attribute.startsWith(' Path='));
  return [pair, ...kept, ...(hasPath || prefix === '' ? [] : [` Path=${prefix}/`])].join(';');

  function pathFor(path: string): string {
    const trimmed = path.trim();
    const below = basePath !== '' && trimmed.startsWith(basePath) ? trimmed.slice(basePath.length) : trimmed;
    return `${prefix}${below.startsWith('/') ? below : '/'}`;
  }
}

function privately(value: string): string {
  const directives = value
    .split(',')
    .map((directive) => directive.trim())
    .filter((directive) => directive !== '' && !/^(?:public|private|s-maxage)\b/i.test(directive));
  return ['private', ...directives].join(', ');
}

function masked(value: string, texts: TextMaskers): string {
  const { value: shown } = texts.text(value);
  // A mask may have characters that a header can't.
  return isHeaderValue(shown)
    ? shown
    : Buffer.from(shown, 'utf8')
        .toString('latin1')
        .replace(/[^\t\x20-\x7e\x80-\xff]/g, '?');
}

/** For the recording: what was told, without what lets others in. */
export function recordedHeaders(headers: readonly HttpHeader[]): string {
  return headers
    .map(([name, value]) => (name === 'set-cookie' ? `${name}: ${value.split('=')[0]}=[hidden]` : `${name}: ${value}`))
    .join('\n')
    .slice(0, 4_096);
}
