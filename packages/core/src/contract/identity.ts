import { CoreError } from '../domain/error.ts';
import type { Principal } from '../domain/principal.ts';
import type { Redacted } from '../domain/redacted.ts';

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
