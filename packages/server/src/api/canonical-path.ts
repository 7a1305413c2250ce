/**
 * Whether the request target (RFC 9112 section 3.2) names a path in the one way this API writes it. Percent-encoding,
 * empty or dot segments, parameters after `;`, backslashes, a trailing slash, an absolute URL: each is a way for two
 * readers of one address to see two different routes, so none of them names anything here.
 */
export function isCanonical(requestTarget: string): boolean {
  const end = requestTarget.indexOf('?');
  const path = end < 0 ? requestTarget : requestTarget.slice(0, end);
  if (path.length > 512 || !/^(\/[A-Za-z0-9._-]+)+$/.test(path)) return false;
  return !path.split('/').some((segment) => segment === '.' || segment === '..');
}
