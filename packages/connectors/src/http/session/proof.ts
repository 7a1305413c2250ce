import { hash } from 'node:crypto';
import { Redacted } from '@sluice/core/domain/redacted.ts';
import type { HttpHeader } from '../../wire/http/exchange.ts';
import { soleHeader } from '../../wire/http/headers.ts';
import type { HttpTarget } from '../target-form.ts';

/** What a client proves itself with. */
export interface Proof {
  /** A token, or an access credential as `<id>:<secret>` or its secret alone. */
  readonly secret: Redacted;
  /** The user's name of Basic authentication. */
  readonly user?: string;
  /** Tells proofs apart without keeping them. */
  readonly digest: string;
}

/**
 * The proof in a request's header: in `Sluice-Authorization` where the API has an `Authorization` of its own, in either
 * where it has not, but not in both. Undefined where there is none that can be one.
 */
export function proofIn(headers: readonly HttpHeader[], target: HttpTarget | undefined): Proof | undefined {
  const own = soleHeader(headers, 'sluice-authorization');
  const usual = target?.identify === 'sluice-authorization' ? undefined : soleHeader(headers, 'authorization');
  const value = own ?? usual;
  if (value === undefined || (own !== undefined && usual !== undefined)) return undefined;
  const match = /^([A-Za-z]+) +([\x21-\x7e]+)$/.exec(value);
  const [, scheme = '', text = ''] = match ?? [];
  const digest = hash('sha256', value, 'hex');
  if (scheme.toLowerCase() === 'bearer') return { secret: new Redacted(text), digest };
  if (scheme.toLowerCase() !== 'basic' || !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  const pair = Buffer.from(text, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  if (colon < 0) return undefined;
  return { user: pair.slice(0, colon), secret: new Redacted(pair.slice(colon + 1)), digest };
}
