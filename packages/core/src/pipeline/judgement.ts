import type { PolicySnapshot, Question, SessionFacts } from '../contract/policy.ts';
import type { Decision, DryRun, Effect, Hold, Obligation, Reason } from '../domain/decision.ts';
import type { SessionInfo } from '../domain/session.ts';
import type { Unit } from '../domain/unit.ts';

/** One unit on its way through the order. Steps may only make it stricter. */
export interface Judgement {
  readonly session: SessionInfo;
  readonly unit: Unit;
  readonly snapshot: PolicySnapshot;
  readonly facts: SessionFacts;
  effect: Effect;
  policies: string[];
  reasons: Reason[];
  obligations: Obligation[];
  hold: Hold | undefined;
  dryRun: DryRun[];
  masked: ReadonlySet<string>;
  /** Policy's own, one per action; what else made the judgement stricter is not in them. */
  decisions: Decision[];
  hint: string;
  /** Asked of policy, and denied because nothing permits it. */
  unpermitted: Question | undefined;
}

export function begin(session: SessionInfo, unit: Unit, snapshot: PolicySnapshot, facts: SessionFacts): Judgement {
  return {
    session,
    unit,
    snapshot,
    facts,
    effect: 'allow',
    policies: [],
    reasons: [],
    obligations: [],
    hold: undefined,
    dryRun: [],
    masked: none,
    decisions: [],
    hint: '',
    unpermitted: undefined,
  };
}

const none: ReadonlySet<string> = new Set();

/** Turns the judgement into a deny for a reason the gateway itself knows. */
export function refuse(judgement: Judgement, rule: string, text: string, hint: string): void {
  if (judgement.effect !== 'deny') {
    judgement.policies = [];
    judgement.reasons = [];
  }
  judgement.effect = 'deny';
  judgement.hold = undefined;
  if (!judgement.policies.includes(rule)) judgement.policies.push(rule);
  judgement.reasons.push({ policy: rule, text });
  if (judgement.hint === '') judgement.hint = hint;
}

/** Adds one action's decision: the strictest effect wins, obligations and consents add up. */
export function addDecision(judgement: Judgement, decision: Decision): void {
  for (const dry of decision.dryRun) judgement.dryRun.push(dry);
  const rank = strictness[decision.effect] - strictness[judgement.effect];
  if (rank < 0) return;
  if (rank > 0) {
    judgement.effect = decision.effect;
    judgement.policies = [];
    judgement.reasons = [];
    judgement.hold = undefined;
  }
  if (decision.hint !== undefined && judgement.hint === '') judgement.hint = decision.hint;
  for (const policy of decision.policies) if (!judgement.policies.includes(policy)) judgement.policies.push(policy);
  for (const reason of decision.reasons) {
    if (!judgement.reasons.some((known) => known.policy === reason.policy && known.text === reason.text)) {
      judgement.reasons.push(reason);
    }
  }
  if (decision.hold) judgement.hold = judgement.hold ? joinHolds(judgement.hold, decision.hold) : decision.hold;
}

const strictness: Readonly<Record<Effect, number>> = { allow: 0, hold: 1, deny: 2 };

/** Everyone asked by either hold must consent, under the shorter of the terms. */
function joinHolds(a: Hold, b: Hold): Hold {
  const consents = [...a.consents];
  for (const consent of b.consents) {
    const known = consents.findIndex((other) => other.policy === consent.policy && other.group === consent.group);
    if (known < 0) consents.push(consent);
  }
  return {
    consents,
    grantTtl: Math.min(a.grantTtl, b.grantTtl),
    timeout: Math.min(a.timeout, b.timeout),
    wait: a.wait === b.wait ? a.wait : 'both',
  };
}
