import type { UpstreamAccess } from '@sluice/core/contract/upstream.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import type { HttpHeader } from '../../wire/http/exchange.ts';
import { isHeaderValue } from '../../wire/http/headers.ts';

/** What the gateway proves itself with at the target; no client ever sees any of it. */
export function credentialHeaders({ credential, settings }: UpstreamAccess): readonly HttpHeader[] {
  const { username, secrets } = credential;
  const headers: HttpHeader[] = [];
  const bearer = secrets['bearer']?.reveal().trim();
  if (bearer !== undefined) headers.push(['authorization', `Bearer ${bearer}`]);
  const password = secrets['password']?.reveal();
  if (password !== undefined) {
    const pair = Buffer.from(`${username}:${password}`).toString('base64');
    headers.push(['authorization', `Basic ${pair}`]);
  }
  const header = secrets['header']?.reveal().trim();
  const name = settings['header_name'];
  if (header !== undefined && typeof name === 'string') headers.push([name.toLowerCase(), header]);
  if (headers.some(([, value]) => !isHeaderValue(value))) {
    throw new CoreError(
      'upstream_login',
      'gateway',
      'The gateway has no credential that it could send to the target.',
      {
        detail: 'a secret of the target holds characters that no header field can',
      },
    );
  }
  return headers;
}
