import { principalKinds } from '@sluice/core/domain/principal.ts';
import { z } from 'zod';
import { Time } from './basics.ts';

export const PrincipalRef = z.object({
  kind: z.enum(principalKinds),
  id: z.string().meta({ description: 'Issuer-bound and stable: `<issuer>#<subject>`' }),
});

export const NamedPrincipal = PrincipalRef.extend({
  display_name: z.string().meta({ description: 'For people; never compared' }),
});
export type NamedPrincipal = z.output<typeof NamedPrincipal>;

export const Whoami = NamedPrincipal.extend({
  issuer: z.string(),
  subject: z.string(),
  groups: z.array(z.string()),
  owner: PrincipalRef.optional().meta({ description: 'The user who answers for an agent' }),
  chain: z.array(PrincipalRef).meta({ description: 'Delegation, outermost actor first' }),
  expires_at: Time.meta({ description: 'When this proof of identity becomes void' }),
});
export type Whoami = z.output<typeof Whoami>;

/** A principal to suppose in a dry run. */
export const SupposedPrincipal = z.strictObject({
  kind: z.enum(principalKinds),
  id: z.string().min(1).max(1024),
  groups: z.array(z.string().max(255)).max(500).default([]),
  owner: z.strictObject({ kind: z.enum(principalKinds), id: z.string().min(1).max(1024) }).optional(),
});
export type SupposedPrincipal = z.output<typeof SupposedPrincipal>;
