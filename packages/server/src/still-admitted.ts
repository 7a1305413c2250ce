import type { Opening } from '@sluice/core/contract/connector.ts';
import { unauthenticated } from '@sluice/core/contract/identity.ts';
import { behind, type Principal } from '@sluice/core/domain/principal.ts';

export interface AdmittedParts {
  /** Whether the store said so a moment ago, and nothing was heard to the contrary. */
  vouched(principal: Principal, credential: string | undefined): boolean;
  /** The access credential as it is now. */
  credential(id: string): Promise<{ readonly revokedAt?: number; readonly expiresAt: number } | undefined>;
  /** Those of the principals that an administrator disabled. */
  disabledAmong(ids: readonly string[]): Promise<readonly string[]>;
  now(): number;
}

/**
 * Asked before a session opens. A proof may be older than the session: a connection can bring many requests, and be let
 * in once. Rejects with the one refusal when the access credential was revoked since or has expired, or when the
 * principal or anybody behind it was disabled.
 */
export async function stillAdmitted(
  parts: AdmittedParts,
  { principal, credential }: Pick<Opening, 'principal' | 'credential'>,
): Promise<void> {
  if (parts.vouched(principal, credential)) return;
  const [record, disabled] = await Promise.all([
    credential === undefined ? undefined : parts.credential(credential),
    parts.disabledAmong(behind(principal)),
  ]);
  if (disabled.length > 0) throw unauthenticated(undefined, `${disabled.join(', ')}: disabled by an administrator`);
  if (credential === undefined) return;
  if (!record || record.revokedAt !== undefined || record.expiresAt <= parts.now()) {
    throw unauthenticated(undefined, `access credential ${credential}: revoked or expired since it was proven`);
  }
}
