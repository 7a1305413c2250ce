import { principalKinds } from '@sluice/core/domain/principal.ts';
import { z } from 'zod';
import { line } from './scalars.ts';

/** Signature algorithms a token may use: asymmetric ones only (RFC 7518 section 3.1, RFC 8037, RFC 9864). */
export const signatureAlgorithms = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
] as const;

const claimPath = () =>
  line(256).regex(/^[^.].*[^.]$|^[^.]$/, { error: 'must be a claim, or a path of claims joined by dots' });

const audience = line(1024);

const issuerSchema = z.strictObject({
  issuer: line(2048).describe(
    'The issuer’s URL, exactly as its tokens spell it in `iss`. Plain http on loopback only.',
  ),
  audience: z
    .union([audience, z.array(audience).min(1, { error: 'must name at least one audience' }).max(32)])
    .transform((value) => (typeof value === 'string' ? [value] : value))
    .describe('The audience a token must be meant for; one or a list of which one must match.'),
  authorized_parties: z
    .array(line(1024))
    .min(1, { error: 'must name at least one client' })
    .max(1000)
    .optional()
    .describe(
      'Clients whose tokens are accepted (`azp`, else `client_id`). Absent: any client’s, but a token for several audiences must name one of ours in `azp`.',
    ),
  groups_claim: claimPath()
    .prefault('groups')
    .describe(
      'The claim with the principal’s groups, a list of texts; a dot path reaches into objects (`realm_access.roles`).',
    ),
  groups_prefix: line(64)
    .optional()
    .describe('Put before every group of this issuer, so that two issuers’ groups can’t be taken for each other.'),
  kind_claim: claimPath()
    .prefault('kind')
    .describe('The claim that says `user`, `agent` or `service`. Any other value is refused.'),
  default_kind: z
    .enum(principalKinds)
    .prefault('user')
    .describe('What a token without the kind claim stands for; `service` suits the tokens of workloads.'),
  owner_claim: claimPath()
    .optional()
    .describe('The claim with the subject, at the same issuer, of the user who answers for an agent.'),
  jwks_uri: line(2048)
    .optional()
    .describe('Where the issuer’s keys are. Absent: found by OpenID Connect discovery. Plain http on loopback only.'),
  algorithms: z
    .array(z.enum(signatureAlgorithms))
    .min(1, { error: 'must name at least one algorithm' })
    .optional()
    .describe('The signature algorithms to accept. Absent: every one in this list.'),
});

export const identitySection = z
  .strictObject({
    issuers: z
      .array(issuerSchema, { error: 'must be a list of issuers' })
      .min(1, { error: 'must name at least one issuer: without one nobody can log in' })
      .max(64)
      .describe('The OpenID Connect issuers whose tokens are believed.'),
  })
  .describe('Who may prove to be somebody, and how claims become a principal.');
