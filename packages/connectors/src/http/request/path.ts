import { childResource, type Resource, targetResource } from '@sluice/core/domain/resource.ts';
import { badRequest } from './bad-request.ts';
import { percentDecode, percentEncode } from './percent.ts';

/** A path in the one form that is judged, and the one that is sent. */
export interface JudgedPath {
  /** Decoded, none of them empty. */
  readonly segments: readonly string[];
  /** Decoded: `/v1/customers/42`. */
  readonly text: string;
  /** Encoded anew from the segments: what is sent is what was judged. */
  readonly sent: string;
}

const most = 48;
/** Sub-delimiters (RFC 3986 section 2.2), `:` and `@` stand for themselves in a segment; `;` could begin parameters. */
const plain = "!$&'()*+,=:@";

/**
 * The path of a request (without its query), or a refusal where two readers could find two paths in it: an empty
 * segment, `.` and `..`, an encoded slash, a backslash, parameters behind `;`, something encoded twice, characters that
 * some systems fold into one of these, or control characters.
 */
export function judgePath(raw: string): JudgedPath {
  if (!raw.startsWith('/')) throw badRequest('The path must begin with "/".');
  if (/[;\\]/.test(raw)) throw badRequest('The path has a ";" or a backslash in it.');
  const parts = raw.slice(1).split('/');
  const slash = parts.length > 1 && parts.at(-1) === '';
  if (slash) parts.pop();
  const segments = raw === '/' ? [] : parts.map(judgeSegment);
  if (segments.length > most) throw badRequest(`The path has more than ${most} segments.`);
  const end = slash && segments.length > 0 ? '/' : '';
  return {
    segments,
    text: `/${segments.join('/')}${end}`,
    sent: `/${segments.map((segment) => percentEncode(segment, plain)).join('/')}${end}`,
  };
}

function judgeSegment(raw: string): string {
  if (raw === '') throw badRequest('The path has an empty segment in it ("//").');
  const segment = percentDecode(raw, 'The path');
  if (/[/\\]/.test(segment)) throw badRequest('The path has an encoded slash or backslash in it.');
  if (/%[0-9a-fA-F]{2}/.test(segment)) throw badRequest('The path is encoded twice.');
  if (/[\p{Cc}\u2028\u2029]/u.test(segment)) throw badRequest('The path has control characters in it.');
  // "．．" and "／" are dots and slashes to whoever folds them.
  const folded = segment.normalize('NFKC');
  if (folded === '.' || folded === '..' || (folded !== segment && /[/\\%;?#]/.test(folded))) {
    throw badRequest('The path has a segment that leads elsewhere ("..", or what could be taken for it).');
  }
  if (segment.trim() !== segment || /^\.+ *$/.test(segment)) {
    throw badRequest('The path has a segment that some systems cut short (blanks at its end, or dots alone).');
  }
  return segment;
}

/** The path as resources: each segment lies in the one before it. The root is the target. */
export function endpointOf(target: string, segments: readonly string[]): Resource {
  return segments.reduce<Resource>(
    (above, segment) => childResource('Endpoint', above, segment),
    targetResource(target),
  );
}
