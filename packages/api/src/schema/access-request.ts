import { z } from 'zod';
import { accessRequestStates } from '../states.ts';
import { Cursor, Limit, pageOf, TargetName, Time } from './basics.ts';
import { NamedPrincipal, PrincipalRef } from './principal.ts';

export const RequestedAction = z.object({
  verb: z.string(),
  access: z.string(),
  resources: z.array(z.string()),
  text: z.string().meta({
    description:
      'Exactly what will run, whole and unchanged; show it with control and bidirectional characters made visible',
  }),
});

export const Run = z
  .object({
    run: z.string().optional(),
    step: z.string().optional(),
    tool_call: z.string().optional(),
    intent: z.string().optional(),
    traceparent: z.string().optional(),
  })
  .meta({ description: 'What the requester claims about the reasoning behind it; proven by nothing' });

export const Approval = z.object({
  reviewer: NamedPrincipal,
  answer: z.enum(['approve', 'deny']),
  groups: z.array(z.string()),
  comment: z.string().optional(),
  at: Time,
});

export const AccessRequest = z.object({
  id: z.string(),
  state: z.enum(accessRequestStates),
  requester: NamedPrincipal,
  owner: PrincipalRef.optional(),
  behind: z.array(z.string()).meta({ description: 'Every principal behind the requester; none of them may review' }),
  target: z.string(),
  session: z.string(),
  unit: z.string(),
  actions: z.array(RequestedAction),
  parameters: z.array(z.string().nullable()),
  binding: z.record(z.string(), z.string()).meta({ description: 'Session state that gives the action its meaning' }),
  labels: z.array(z.string()),
  run: Run.optional(),
  digest: z.string().meta({ description: 'SHA-256 (hex) of everything an approval binds to' }),
  consents: z.array(z.object({ policy: z.string(), group: z.string(), quorum: z.int() })),
  reasons: z.array(z.string()),
  policy_hash: z.string(),
  approvals: z.array(Approval),
  created_at: Time,
  expires_at: Time.meta({ description: 'While pending: when it times out. Once approved: when the grant lapses' }),
  grant_ttl_ms: z.int(),
  settled_at: Time.optional(),
  may_review: z.boolean().meta({ description: 'Whether the caller may approve or deny it now' }),
});
export type AccessRequest = z.output<typeof AccessRequest>;

export const AccessRequestQuery = z.strictObject({
  state: z.enum(accessRequestStates).optional(),
  target: TargetName.optional(),
  limit: Limit,
  before: Cursor,
});
export type AccessRequestQuery = z.output<typeof AccessRequestQuery>;

export const AccessRequestPage = pageOf(AccessRequest);
export type AccessRequestPage = z.output<typeof AccessRequestPage>;

export const Answer = z.strictObject({
  comment: z.string().max(2000).optional().meta({ description: 'Shown to the requester and kept in the recording' }),
});
export type Answer = z.output<typeof Answer>;
