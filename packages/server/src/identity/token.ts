import type { Clock } from '@sluice/core/contract/clock.ts';
import {
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  jwtVerify,
  type ProtectedHeaderParameters,
} from 'jose';
import type { IssuerKeys } from './issuer-keys.ts';
import type { IssuerSettings } from './issuer-settings.ts';
import { Refusal } from './refusal.ts';

/** Beyond any token an issuer should make; HTTP servers give up at about the same size. */
export const maxTokenBytes = 16 * 1024;
/** Seconds by which clocks may differ. */
export const skew = 30;

export const asymmetricAlgorithms: readonly string[] = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  ...['ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
];

/** An issuer that is believed, and its keys. */
export interface TrustedIssuer {
  readonly settings: IssuerSettings;
  readonly keys: Pick<IssuerKeys, 'find'>;
}

export interface VerifiedToken {
  readonly issuer: IssuerSettings;
  readonly claims: JWTPayload;
}

/**
 * Checks a token (RFC 7519, with the advice of RFC 8725) from its size to its audience. What its claims mean is not
 * judged here. Rejects with a Refusal.
 */
export async function verifyToken(
  token: string,
  issuers: ReadonlyMap<string, TrustedIssuer>,
  clock: Pick<Clock, 'now'>,
): Promise<VerifiedToken> {
  if (token === '') throw new Refusal('empty', 'no token was sent');
  if (token.length > maxTokenBytes) throw new Refusal('too_large', `the token is longer than ${maxTokenBytes} bytes`);
  // Three parts, none of them empty: neither an unsigned token nor an encrypted one.
  if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)) throw new Refusal('malformed', 'this is not a signed JWT');
  const { header, unverified } = decode(token);
  checkHeader(header);
  const trusted = typeof unverified.iss === 'string' ? issuers.get(unverified.iss) : undefined;
  if (!trusted) throw new Refusal('unknown_issuer', 'the token’s issuer is not configured');
  const { settings, keys } = trusted;
  const algorithms = (settings.algorithms ?? asymmetricAlgorithms).filter((name) =>
    asymmetricAlgorithms.includes(name),
  );
  if (!algorithms.includes(header.alg ?? '')) throw new Refusal('algorithm', 'the token’s algorithm is not accepted');
  const claims = await verify(token, settings, keys, algorithms, clock);
  checkTimes(claims, clock);
  checkParty(claims, settings);
  return { issuer: settings, claims };
}

function decode(token: string): { header: ProtectedHeaderParameters; unverified: JWTPayload } {
  try {
    return { header: decodeProtectedHeader(token), unverified: decodeJwt(token) };
  } catch (error) {
    throw new Refusal('malformed', 'the token can’t be decoded', error);
  }
}

/** RFC 8725 section 3.11: other kinds of JWT (logout tokens, security events, proofs of possession) prove no identity. */
function checkHeader(header: ProtectedHeaderParameters): void {
  const type = header.typ;
  if (type !== undefined) {
    const name = typeof type === 'string' ? type.toLowerCase().replace(/^application\//, '') : '';
    if (name !== 'jwt' && name !== 'at+jwt')
      throw new Refusal('token_type', 'the token’s typ is neither JWT nor at+jwt');
  }
  if (header.cty !== undefined) throw new Refusal('token_type', 'the token holds another document (cty)');
}

async function verify(
  token: string,
  settings: IssuerSettings,
  keys: Pick<IssuerKeys, 'find'>,
  algorithms: readonly string[],
  clock: Pick<Clock, 'now'>,
): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, (header) => keys.find(header), {
      algorithms: [...algorithms],
      issuer: settings.issuer,
      audience: [...settings.audience],
      currentDate: new Date(clock.now()),
      clockTolerance: skew,
      requiredClaims: ['iss', 'sub', 'aud', 'exp'],
    });
    return payload;
  } catch (error) {
    throw refusalOf(error);
  }
}

function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof errors.JWTExpired) return new Refusal('expired', 'the token has expired', error);
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'aud') return new Refusal('audience', 'the token is meant for another audience', error);
    if (error.claim === 'nbf') return new Refusal('not_yet_valid', 'the token is not valid yet', error);
    return new Refusal('claims', `the claim ${error.claim} is missing or wrong`, error);
  }
  if (error instanceof errors.JOSEAlgNotAllowed)
    return new Refusal('algorithm', 'the algorithm is not accepted', error);
  if (error instanceof errors.JWSSignatureVerificationFailed)
    return new Refusal('signature', 'the signature is wrong', error);
  // Everything else the library finds: malformed parts, critical headers it does not know, keys that don’t fit.
  return new Refusal('malformed', 'the token can’t be verified', error);
}

function checkTimes(claims: JWTPayload, clock: Pick<Clock, 'now'>): void {
  const now = Math.floor(clock.now() / 1000);
  if (claims.iat !== undefined && (typeof claims.iat !== 'number' || !(claims.iat <= now + skew))) {
    throw new Refusal('not_yet_valid', 'the token was issued in the future');
  }
  // The last millisecond that a Date can hold: beyond it the expiry could not be kept.
  if (!(typeof claims.exp === 'number' && claims.exp > 0 && claims.exp <= 8.64e12)) {
    throw new Refusal('claims', 'the claim exp is no time');
  }
  // RFC 8417 section 2.2: only security events carry it, whatever their typ says.
  if (claims['events'] !== undefined) throw new Refusal('token_type', 'the token reports an event, it is no login');
}

/** OpenID Connect Core section 3.1.3.7, steps 4 and 5. */
function checkParty(claims: JWTPayload, settings: IssuerSettings): void {
  const party = claims['azp'] ?? claims['client_id'];
  if (settings.authorizedParties) {
    if (typeof party !== 'string' || !settings.authorizedParties.includes(party)) {
      throw new Refusal('authorized_party', 'the token was issued to a client that is not in authorized_parties');
    }
    return;
  }
  if (Array.isArray(claims.aud) && claims.aud.length > 1) {
    const azp = claims['azp'];
    if (typeof azp !== 'string' || !settings.audience.includes(azp)) {
      throw new Refusal(
        'authorized_party',
        'the token has several audiences and its azp is none of ours; see authorized_parties',
      );
    }
  }
}
