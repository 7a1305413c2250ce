import type { AccessCredential } from '@sluice/api/schema/access-credential.ts';
import type { CredentialRecord } from '../services.ts';
import { time } from './time.ts';

export function credentialView(record: CredentialRecord): AccessCredential {
  return {
    id: record.id,
    target: record.target,
    created_at: time(record.createdAt),
    expires_at: time(record.expiresAt),
    ...(record.usesLeft === undefined ? {} : { uses_left: record.usesLeft }),
    ...(record.revokedAt === undefined ? {} : { revoked_at: time(record.revokedAt) }),
  };
}
