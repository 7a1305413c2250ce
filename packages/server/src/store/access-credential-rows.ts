import type { ScramVerifier } from '@sluice/core/contract/identity.ts';
import type { Principal } from '@sluice/core/domain/principal.ts';

/** An access credential as it is kept: a verifier, from which nobody gets the secret back. Times in Unix milliseconds. */
export interface AccessCredentialRow {
  readonly id: string;
  readonly verifier: ScramVerifier;
  /** As it was when the credential was issued. */
  readonly principal: Principal;
  readonly target: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** Absent when not limited. */
  readonly usesLeft?: number;
  readonly revokedAt?: number;
}

export interface AccessCredentialRows {
  /** Rejects for an id that exists. */
  insert(row: AccessCredentialRow): Promise<void>;
  find(id: string): Promise<AccessCredentialRow | undefined>;
  /**
   * Takes one use, exactly once over all gateways, and gives the credential as it is afterwards. Undefined, and
   * nothing taken, when there is no such credential for this target or it has expired, is revoked or used up.
   */
  spend(id: string, target: string, now: number): Promise<AccessCredentialRow | undefined>;
  /** False when there is none or it was revoked before. Subscribers of every gateway are told. */
  revoke(id: string, now: number): Promise<boolean>;
  /** Newest first; expired and revoked ones too, until they are removed. */
  listByPrincipal(principalId: string): Promise<readonly AccessCredentialRow[]>;
  /** How many were removed: those that expired before this time. */
  removeExpired(before: number): Promise<number>;
  /**
   * Calls back with the id of each credential revoked anywhere, and with undefined when some may have been missed:
   * look up those that matter. Resolves with the function that unsubscribes.
   */
  onRevoked(callback: (id: string | undefined) => void): Promise<() => Promise<void>>;
}
