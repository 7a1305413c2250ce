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
