import { z } from 'zod';

export const HealthQuery = z.strictObject({
  probe: z.enum(['live', 'ready']).optional().meta({
    description:
      '`live` answers 200 as long as the process answers; `ready`, the default, 503 while it takes no sessions',
  }),
});

export const Health = z.object({
  live: z.literal(true),
  ready: z.boolean().meta({ description: 'Whether the gateway takes new sessions' }),
  checks: z.record(z.string(), z.enum(['ok', 'failing'])),
});
export type Health = z.output<typeof Health>;

export const Target = z.object({
  name: z.string(),
  connector: z.string(),
  tags: z.array(z.string()),
  accepts: z.array(z.enum(['secret', 'certificate'])).meta({
    description: 'What clients of the target can log in with, beside a token, once an access credential was issued',
  }),
  address: z
    .object({
      host: z.string().meta({ description: '`0.0.0.0` or `::` where the gateway listens on all of its addresses' }),
      port: z.int(),
    })
    .optional()
    .meta({ description: 'Where its clients reach the gateway; absent when the gateway does not listen for them' }),
});
export type Target = z.output<typeof Target>;

export const TargetList = z.object({ items: z.array(Target) });
export type TargetList = z.output<typeof TargetList>;

export const SealKey = z.object({
  key_id: z.string().meta({ description: 'First 16 hex digits of the SHA-256 of the public key' }),
  algorithm: z.literal('Ed25519'),
  public_key: z.string().meta({ description: 'The 32 raw bytes (RFC 8032), base64' }),
  current: z.boolean().meta({ description: 'Whether new seals are made with it' }),
});
export const SealKeyList = z.object({ items: z.array(SealKey) });
export type SealKeyList = z.output<typeof SealKeyList>;

export const OpenApiDocument = z.record(z.string(), z.unknown());
