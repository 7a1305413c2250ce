import { isLoopbackHost } from './host-port.ts';
import type { Finding } from './problem.ts';
import type { ConfigDocument } from './schema.ts';

export function checkIdentity({ identity }: ConfigDocument): Finding[] {
  const found: Finding[] = [];
  const issuers = new Set<string>();
  const prefixes = new Set<string>();
  for (const [index, entry] of identity.issuers.entries()) {
    const path = ['identity', 'issuers', index];
    const wrong = urlTrouble(entry.issuer);
    if (wrong !== undefined) {
      found.push({ severity: 'error', path: [...path, 'issuer'], message: wrong });
    } else if (/[?#]/.test(entry.issuer)) {
      // OpenID Connect Core section 2; ids of principals join issuer and subject with `#`.
      found.push({ severity: 'error', path: [...path, 'issuer'], message: 'must have no query and no fragment' });
    }
    const wrongKeys = entry.jwks_uri === undefined ? undefined : urlTrouble(entry.jwks_uri);
    if (wrongKeys !== undefined) found.push({ severity: 'error', path: [...path, 'jwks_uri'], message: wrongKeys });
    if (issuers.has(entry.issuer)) {
      const message = 'this issuer is here twice; give one entry a list of audiences';
      found.push({ severity: 'error', path: [...path, 'issuer'], message });
    }
    issuers.add(entry.issuer);
    const prefix = entry.groups_prefix ?? '';
    if (prefixes.has(prefix)) {
      const message =
        'another issuer has the same groups_prefix: a group of one is then the group of that name of the other';
      found.push({
        severity: 'warning',
        path: entry.groups_prefix === undefined ? path : [...path, 'groups_prefix'],
        message,
      });
    }
    prefixes.add(prefix);
  }
  return found;
}

function urlTrouble(text: string): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url) return 'must be a URL, like https://login.example.com';
  if (url.username !== '' || url.password !== '') return 'must not hold a user name or password';
  if (url.protocol === 'https:') return undefined;
  if (url.protocol !== 'http:') return 'must be an https URL';
  return isLoopbackHost(url.hostname) ? undefined : 'must be https; plain http is accepted on loopback only';
}
