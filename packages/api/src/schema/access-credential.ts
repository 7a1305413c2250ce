import { z } from 'zod';
import { Duration, TargetName, Time } from './basics.ts';

export const IssueAccessCredential = z.strictObject({
  target: TargetName,
  ttl: Duration.optional().meta({
    description: 'the configured default when absent; never beyond the proof of identity it is issued to',
  }),
  uses: z.int().min(1).max(1_000_000).optional().meta({ description: 'Logins it is good for; any number when absent' }),
});
export type IssueAccessCredential = z.input<typeof IssueAccessCredential>;

export const IssuedAccessCredential = z.object({
  id: z.string().meta({ description: 'The user name to log in with' }),
  secret: z.string().meta({ description: 'The password to log in with; shown this once and stored nowhere' }),
  target: z.string(),
  expires_at: Time,
});
export type IssuedAccessCredential = z.output<typeof IssuedAccessCredential>;

export const AccessCredential = z.object({
  id: z.string(),
  target: z.string(),
  created_at: Time,
  expires_at: Time,
  uses_left: z.int().optional().meta({ description: 'Absent when not limited' }),
  revoked_at: Time.optional(),
});
export type AccessCredential = z.output<typeof AccessCredential>;

export const AccessCredentialList = z.object({ items: z.array(AccessCredential) });
export type AccessCredentialList = z.output<typeof AccessCredentialList>;

export const RevokedAccessCredential = z.object({ id: z.string(), revoked: z.literal(true) });
export type RevokedAccessCredential = z.output<typeof RevokedAccessCredential>;
