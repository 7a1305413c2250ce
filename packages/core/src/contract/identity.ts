import { CoreError } from '../domain/error.ts';
import type { Principal } from '../domain/principal.ts';
import { Redacted } from '../domain/redacted.ts';

/** SCRAM-SHA-256 verifier (RFC 5802 section 3, RFC 7677). */
export interface ScramVerifier {
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
}

/** Turns a proof into a principal. Every refusal is the same `CoreError('unauthenticated')`, whatever its reason. */
export interface Identity {
  /** A JWT from a configured issuer. */
  bearer(token: Redacted): Promise<Principal>;
  /** Always answers: for an unknown id with a verifier that is stable for the id and that nothing satisfies. */
  scramVerifier(credentialId: string): Promise<ScramVerifier>;
  /** Whether the secret is the credential's, for protocols that send it whole. False for an unknown id, in the same time. */
  proves(credentialId: string, secret: Redacted): Promise<boolean>;
  /** Called after the client proved it holds the secret. Refuses when expired, revoked, used up or meant for another target. */
  redeem(credentialId: string, target: string): Promise<Principal>;
  /** Whether the user name has the form of an access credential's id. */
  isCredentialId(user: string): boolean;
}

/**
 * The one refusal of every proof, whoever found it wrong and for whatever reason. `detail` is for the gateway's log and
 * holds no secret.
 */
export function unauthenticated(cause: unknown, detail = 'authentication failed'): CoreError {
  return new CoreError(
    'unauthenticated',
    'client',
    'Authentication failed. Get a fresh token from your identity provider, or a fresh access credential, and try again.',
    { cause, detail },
  );
}

/** Who somebody is, and by which access credential, if by one. */
export interface Identified {
  readonly principal: Principal;
  readonly credential?: string;
}

/**
 * For protocols that send a secret whole. `secret` is a token; or an access credential, as `<id>:<secret>`, or as the
 * secret alone where the id came as the user's name. Rejects with the one refusal.
 */
export async function identify(
  identity: Identity,
  target: string,
  secret: Redacted,
  user?: string,
): Promise<Identified> {
  const credential = credentialIn(identity, secret, user);
  if (!credential) return { principal: await identity.bearer(secret) };
  if (!(await identity.proves(credential.id, credential.secret))) {
    throw unauthenticated(undefined, `access credential ${credential.id}: wrong secret, or no such credential`);
  }
  return { principal: await identity.redeem(credential.id, target), credential: credential.id };
}

function credentialIn(
  identity: Identity,
  secret: Redacted,
  user: string | undefined,
): { readonly id: string; readonly secret: Redacted } | undefined {
  if (user !== undefined && identity.isCredentialId(user)) return { id: user, secret };
  const text = secret.reveal();
  const colon = text.indexOf(':');
  const id = text.slice(0, colon);
  return colon > 0 && identity.isCredentialId(id) ? { id, secret: new Redacted(text.slice(colon + 1)) } : undefined;
}
