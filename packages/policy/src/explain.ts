import { isAuthorized } from '@cedar-policy/cedar-wasm/nodejs';
import type { Question } from '@sluice/core/contract/policy.ts';
import type { Decision, Effect } from '@sluice/core/domain/decision.ts';
import type { Applying, EngineRequest } from './engine.ts';
import type { Outcome } from './outcome.ts';
import type { LoadedPolicy, PolicySet } from './policy-set.ts';
import { partsOf } from './source/pieces.ts';

/** How a decision came about. Plain data, to be printed or sent as JSON. */
export interface Explanation {
  readonly decision: Decision;
  readonly principal: { readonly kind: string; readonly id: string; readonly groups: readonly string[] };
  readonly target: string;
  readonly verb: string;
  readonly resources: readonly ResourceExplanation[];
  /** Why the question could not be put to the policies at all; absent when it could. */
  readonly fault?: string;
}

export interface ResourceExplanation {
  readonly type: string;
  readonly id: string;
  readonly effect: Effect;
  /** Every policy whose scope and conditions hold, dry runs included. */
  readonly applied: readonly PolicyNote[];
  /** Policies that could not be evaluated; each of them denies. */
  readonly failed: readonly { readonly policy: string; readonly message: string }[];
  /** Policies that one single part keeps from applying. */
  readonly nearly: readonly NearPolicy[];
}

export interface PolicyNote {
  readonly policy: string;
  readonly effect: 'permit' | 'forbid';
  readonly status: 'enforce' | 'dry_run';
  readonly path: string;
  readonly line: number;
  readonly reason?: string;
  readonly approval?: { readonly group: string; readonly quorum: number };
  /** Whether it is among those that made the effect. */
  readonly determining: boolean;
}

export interface NearPolicy extends PolicyNote {
  readonly part: 'principal' | 'action' | 'resource' | 'condition';
  /** That part as written. */
  readonly wants: readonly string[];
}

export interface ExplainInput {
  readonly question: Question;
  readonly decision: Decision;
  readonly set: PolicySet;
  readonly requests: readonly EngineRequest[];
  readonly applied: readonly Applying[];
  readonly outcomes: readonly Outcome[];
}

export function explain(input: ExplainInput): Explanation {
  const { question, decision, set } = input;
  const { kind, id, groups } = question.principal;
  return {
    decision,
    principal: { kind, id, groups },
    target: question.target.name,
    verb: question.action.verb,
    resources: input.requests.flatMap((request, index) => {
      const [applying, outcome, resource] = [
        input.applied[index],
        input.outcomes[index],
        question.action.resources[index],
      ];
      if (!applying || !outcome || !resource) return [];
      return [{ type: resource.type, id: resource.id, ...explainOne(set, request, applying, outcome) }];
    }),
  };
}

function explainOne(
  set: PolicySet,
  request: EngineRequest,
  applying: Applying,
  outcome: Outcome,
): Omit<ResourceExplanation, 'type' | 'id'> {
  const applied = set.policies.filter((policy) => applying.applied.has(policy.id));
  const others = set.policies.filter((policy) => !applied.includes(policy) && !applying.failed.has(policy.id));
  return {
    effect: outcome.effect,
    applied: applied.map((policy) => noteOf(policy, outcome)),
    failed: [...applying.failed].map(([policy, message]) => ({ policy, message })),
    nearly: nearlyApplying(set, request, others, outcome),
  };
}

function noteOf(policy: LoadedPolicy, outcome: Outcome): PolicyNote {
  const { id, effect, terms, path, at } = policy;
  return {
    policy: id,
    effect,
    status: terms.status,
    path,
    line: at.line,
    ...(terms.reason === undefined ? {} : { reason: terms.reason }),
    ...(terms.approval === undefined
      ? {}
      : { approval: { group: terms.approval.group, quorum: terms.approval.quorum } }),
    determining: outcome.policies.includes(policy),
  };
}

type Part = 'principal' | 'action' | 'resource' | number;

/** Every part of every policy is made a policy of its own, so that one call tells which parts hold. */
function nearlyApplying(
  set: PolicySet,
  request: EngineRequest,
  policies: readonly LoadedPolicy[],
  outcome: Outcome,
): NearPolicy[] {
  const parts = policies.flatMap((policy) => partsAlone(policy).map(({ part, alone }) => ({ policy, part, alone })));
  const staticPolicies = Object.fromEntries(parts.map(({ alone }, index) => [`${index}`, alone]));
  const answer = isAuthorized({ ...request, schema: set.schema.cedar, policies: { staticPolicies } });
  if (answer.type === 'failure') return [];
  const holding = new Set(answer.response.diagnostics.reason);
  const missing = new Map<LoadedPolicy, Part[]>();
  for (const [index, { policy, part }] of parts.entries()) {
    if (!holding.has(`${index}`)) missing.set(policy, [...(missing.get(policy) ?? []), part]);
  }
  return [...missing].flatMap(([policy, wanted]) => {
    const kinds = new Set(wanted.map((part) => (typeof part === 'number' ? 'condition' : part)));
    const [part] = kinds;
    if (part === undefined || kinds.size > 1) return [];
    const wants = wanted.map(
      (each) => (typeof each === 'number' ? policy.parts.conditions[each] : policy.parts[each]) ?? '',
    );
    return [{ ...noteOf(policy, outcome), part, wants }];
  });
}

/** Line ends keep a comment at the end of a part from reaching into the next. */
function partsAlone({ cedar }: LoadedPolicy): { part: Part; alone: string }[] {
  const { principal, action, resource, conditions } = partsOf(cedar);
  return [
    { part: 'principal', alone: `permit (${principal}\n, action, resource);` },
    { part: 'action', alone: `permit (principal, ${action}\n, resource);` },
    { part: 'resource', alone: `permit (principal, action, ${resource}\n);` },
    ...conditions.map((condition, part) => ({ part, alone: `permit (principal, action, resource) ${condition};` })),
  ];
}
