/**
 * What applying policies mean together for one resource: the one place where permits, forbids and approvals become an
 * effect. It evaluates nothing.
 *
 * - A forbid without approval denies, whatever else applies.
 * - Without any permit the answer is deny; consent to a forbid lifts the forbid and permits nothing by itself.
 * - A permit without approval allows, unless forbids with approval stand before it: each of them must be consented to.
 * - With permits under approval only, the strictest of them is asked (the highest quorum, then the earliest in the
 *   files), besides every forbid with approval. Any of them would do to permit; that the strictest is taken keeps a
 *   second, broader permit from lowering the bar that a first one set.
 * - A policy that could not be evaluated denies.
 */
import type { Effect, Obligation, Reason } from '@sluice/core/domain/decision.ts';
import type { ApprovalTerms } from './annotations.ts';
import type { LoadedPolicy } from './policy-set.ts';

/** The policies that apply to one resource, in the order of the set. */
export interface Applied {
  readonly permits: readonly LoadedPolicy[];
  readonly forbids: readonly LoadedPolicy[];
  readonly failed: readonly LoadedPolicy[];
}

export interface Outcome {
  readonly effect: Effect;
  /** The policies that made the effect; empty when it is deny because nothing permits. */
  readonly policies: readonly LoadedPolicy[];
  readonly reasons: readonly Reason[];
  /** What must be consented to; empty unless the effect is hold. */
  readonly asks: readonly Ask[];
  readonly obligations: readonly Obligation[];
}

export interface Ask {
  readonly policy: string;
  readonly terms: ApprovalTerms;
}

/** Stands for a policy's id where no policy spoke; no policy can have such an id. */
export const byDefault = 'sluice:default-deny';

/** `unpermitted`: what to say when no policy permits it. */
export function outcomeOf(applied: Applied, hasOwner: boolean, unpermitted: () => string): Outcome {
  if (applied.failed.length > 0) return denied(applied.failed, cannotEvaluate);
  const forbidding = applied.forbids.filter((policy) => !canConsent(policy, hasOwner));
  if (forbidding.length > 0) return denied(forbidding, forbidden);
  const plain = applied.permits.filter((policy) => policy.terms.approval === undefined);
  const askable = applied.permits.filter((policy) => canConsent(policy, hasOwner));
  if (plain.length === 0 && askable.length === 0) {
    if (applied.permits.length > 0) return denied(applied.permits, ownerless);
    return { ...nothing, reasons: [{ policy: byDefault, text: unpermitted() }] };
  }
  const permits = plain.length > 0 ? plain : askable;
  const asking = plain.length > 0 ? applied.forbids : [...applied.forbids, strictest(askable)];
  const obligations = obligationsOf([...permits, ...applied.forbids]);
  if (asking.length === 0) {
    return { effect: 'allow', policies: permits, reasons: permits.map(permitted), asks: [], obligations };
  }
  return {
    effect: 'hold',
    policies: [...applied.forbids, ...permits],
    reasons: asking.map(asks),
    asks: asking.flatMap(({ id, terms }) => (terms.approval ? [{ policy: id, terms: terms.approval }] : [])),
    obligations,
  };
}

const nothing: Outcome = { effect: 'deny', policies: [], reasons: [], asks: [], obligations: [] };

function denied(policies: readonly LoadedPolicy[], reason: (policy: LoadedPolicy) => Reason): Outcome {
  return { ...nothing, policies, reasons: policies.map(reason) };
}

/** Where the owner is asked for and there is none, nobody can ever consent. */
function canConsent({ terms }: LoadedPolicy, hasOwner: boolean): boolean {
  return terms.approval !== undefined && (terms.approval.group !== 'owner' || hasOwner);
}

function strictest(permits: readonly LoadedPolicy[]): LoadedPolicy {
  const quorum = (policy: LoadedPolicy): number => policy.terms.approval?.quorum ?? 0;
  return permits.reduce((best, policy) => (quorum(policy) > quorum(best) ? policy : best));
}

/** Every permit that opens the way lays down its terms, and the narrowest bound stays. */
function obligationsOf(policies: readonly LoadedPolicy[]): Obligation[] {
  const obligations: Obligation[] = [];
  const limits = policies.flatMap(({ terms }) => terms.limitRows ?? []);
  if (limits.length > 0) obligations.push({ kind: 'limit_rows', rows: Math.min(...limits) });
  if (policies.some(({ terms }) => terms.readOnly)) obligations.push({ kind: 'read_only' });
  const channels = new Set(policies.flatMap(({ terms }) => terms.notify ?? []));
  for (const channel of [...channels].sort()) obligations.push({ kind: 'notify', channel });
  return obligations;
}

function permitted({ id, terms }: LoadedPolicy): Reason {
  return { policy: id, text: terms.reason ?? `Permitted by policy "${id}".` };
}

function forbidden({ id, terms }: LoadedPolicy): Reason {
  return { policy: id, text: terms.reason ?? `Forbidden by policy "${id}".` };
}

function asks({ id, terms }: LoadedPolicy): Reason {
  const group = terms.approval?.group;
  const who = group === 'owner' ? "the agent's owner" : `the group "${group ?? ''}"`;
  return { policy: id, text: terms.reason ?? `Policy "${id}" asks for the consent of ${who}.` };
}

function cannotEvaluate({ id }: LoadedPolicy): Reason {
  return { policy: id, text: `Policy "${id}" could not be evaluated, so nothing is allowed that it may speak of.` };
}

function ownerless({ id }: LoadedPolicy): Reason {
  return { policy: id, text: `Policy "${id}" asks for the consent of the agent's owner, and there is none.` };
}
