import type { ScramVerifier } from '@sluice/core/contract/identity.ts';
import type { Principal } from '@sluice/core/domain/principal.ts';

/** One access credential as it is kept: no secret, only what checks one. Times are Unix milliseconds. */
export interface CredentialRow {
  readonly id: string;
  readonly verifier: ScramVerifier;
  /** As it was when the credential was issued. */
  readonly principal: Principal;
  readonly target: string;
  readonly createdAt: number;
  readonly expiresAt: number;
  /** Absent for any number of uses. */
  readonly usesLeft?: number;
  readonly revokedAt?: number;
}

/** Where access credentials are kept. The store implements it. */
export interface CredentialRows {
  insert(row: CredentialRow): Promise<void>;
  find(id: string): Promise<CredentialRow | undefined>;
  /** Newest first. */
  listByPrincipal(principalId: string): Promise<readonly CredentialRow[]>;
  /**
   * Takes one use, in one step over all gateways: only if the credential is for `target`, not revoked, not expired at
   * `now`, and has a use left (or counts none). Resolves with the row as it is then, or with undefined and no change.
   */
  spend(id: string, target: string, now: number): Promise<CredentialRow | undefined>;
  /** False when there is none or it was revoked before. */
  revoke(id: string, now: number): Promise<boolean>;
}
