import { z } from 'zod';
import { TargetName } from './basics.ts';
import { PrincipalRef, SupposedPrincipal } from './principal.ts';

export const PolicyProblem = z.object({
  path: z.string().optional(),
  line: z.int().optional(),
  column: z.int().optional(),
  message: z.string(),
  hint: z.string().optional(),
});
export type PolicyProblem = z.output<typeof PolicyProblem>;

export const PolicyStatus = z.object({
  hash: z.string().meta({ description: 'SHA-256 (hex) of the set in force' }),
  epoch: z.int().meta({ description: 'Counts the changes since the gateway started' }),
  files: z.array(z.string()).optional().meta({ description: 'Only for principals with gateway:view on some target' }),
  problems: z.array(PolicyProblem).optional().meta({
    description: 'Why the newest files are not in force; only for principals with gateway:view on some target',
  }),
});
export type PolicyStatus = z.output<typeof PolicyStatus>;

export const DryRunRequest = z.strictObject({
  target: TargetName,
  statement: z.string().min(1).max(1_000_000),
  principal: SupposedPrincipal.optional().meta({
    description: 'Suppose this principal; needs gateway:manage on the target',
  }),
});
export type DryRunRequest = z.input<typeof DryRunRequest>;

export const Effect = z.enum(['allow', 'deny', 'hold']);

export const DecisionView = z.object({
  effect: Effect,
  policies: z.array(z.string()),
  reasons: z.array(z.object({ policy: z.string(), text: z.string() })),
  obligations: z.array(z.record(z.string(), z.unknown())),
  hold: z
    .object({
      consents: z.array(z.object({ policy: z.string(), group: z.string(), quorum: z.int() })),
      grant_ttl_ms: z.int(),
      timeout_ms: z.int(),
      wait: z.enum(['park', 'resend', 'both']),
    })
    .optional(),
  dry_run: z.array(z.object({ policy: z.string(), effect: Effect })),
  policy_hash: z.string(),
});
export type DecisionView = z.output<typeof DecisionView>;

export const DryRunResult = z.object({
  target: z.string(),
  principal: PrincipalRef,
  decision: DecisionView.meta({ description: 'What the whole statement would get: the strictest of its actions' }),
  actions: z.array(
    z.object({
      verb: z.string(),
      access: z.string(),
      resources: z.array(z.string()),
      explanation: z
        .record(z.string(), z.unknown())
        .meta({ description: 'Which policies decided and which nearly did' }),
    }),
  ),
  labels: z.array(z.string()).meta({ description: 'Labels of the data that an answer may carry' }),
  masked: z.array(z.string()).meta({ description: 'Those of them that would come back masked' }),
});
export type DryRunResult = z.output<typeof DryRunResult>;
