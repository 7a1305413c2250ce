const longest = 2_048;

/** RFC 3986 section 2: what a URI may be written in, less `#`, and a scheme in lower case. */
const written = /^[a-z][a-z0-9+.-]*:[A-Za-z0-9\-._~:/?@!$&'()*+,;=%[\]]+$/;
const templated = /^[a-z][a-z0-9+.-]*:[A-Za-z0-9\-._~:/?@!$&'()*+,;=%[\]{}#|^]+$/;

/**
 * Whether this is the one way to write the URI, so that policy and target cannot take it for two things: no dot
 * segments, no empty ones, nothing encoded that need not be or that would separate or end something if it were not
 * (`%2F`, `%2E`, `%00`), no fragment, no credentials, host names in lower case.
 */
export function isPlainUri(uri: string): boolean {
  if (uri.length > longest || !written.test(uri) || !encodedPlainly(uri)) return false;
  const [, , authority, path = ''] = /^([a-z][a-z0-9+.-]*):(?:\/\/([^/?]*))?([^?]*)/.exec(uri) ?? [];
  if (authority !== undefined && (/@|[A-Z]/.test(authority) || (path !== '' && !path.startsWith('/')))) return false;
  const segments = path.split('/').slice(path.startsWith('/') ? 1 : 0);
  return segments.every((segment, index) => {
    if (segment === '.' || segment === '..') return false;
    return segment !== '' || index === segments.length - 1;
  });
}

/** Whether this may be a template of URIs (RFC 6570); what it stands for is judged when it is filled in. */
export function isPlainTemplate(template: string): boolean {
  return template.length <= longest && templated.test(template);
}

function encodedPlainly(uri: string): boolean {
  for (const [encoded] of uri.matchAll(/%(?:[^%]{0,2})/g)) {
    if (!/^%[0-9A-F]{2}$/.test(encoded)) return false;
    const byte = Number.parseInt(encoded.slice(1), 16);
    if (byte < 0x20 || byte === 0x7f || /[A-Za-z0-9\-._~/\\%]/.test(String.fromCharCode(byte))) return false;
  }
  try {
    decodeURIComponent(uri);
    return true;
  } catch {
    return false;
  }
}
