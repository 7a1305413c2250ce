import { z } from 'zod';
import { Duration, TargetName, Time } from './basics.ts';

export const IssueAccessCredential = z.strictObject({
  target: TargetName,
  ttl: Duration.optional().meta({
    description: 'the configured default when absent; never beyond the proof of identity it is issued to',
  }),
  uses: z.int().min(1).max(1_000_000).optional().meta({ description: 'Logins it is good for; any number when absent' }),
  public_key: z.string().min(1).max(8192).optional().meta({
    description:
      "A public key of the client's, in the text form of the target's protocol: the answer then holds a certificate for it. Only for targets that accept certificates",
  }),
});
export type IssueAccessCredential = z.input<typeof IssueAccessCredential>;

export const IssuedAccessCredential = z.object({
  id: z.string().meta({ description: 'The user name to log in with' }),
  secret: z.string().meta({ description: 'The password to log in with; shown this once and stored nowhere' }),
  target: z.string(),
  expires_at: Time,
  certificate: z.string().optional().meta({
    description: 'For the public key that was sent; good as long as the access credential is, and revoked with it',
  }),
  gateway_keys: z.array(z.string()).optional().meta({
    description: 'Public keys by which clients of the target know the gateway; comes with a certificate',
  }),
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
