import type { Consent, Effect, Hold, Obligation, Reason, WaitMode } from '@sluice/core/domain/decision.ts';
import type { Ask, Outcome } from './outcome.ts';

const strictness: Readonly<Record<Effect, number>> = { allow: 0, hold: 1, deny: 2 };

export interface Joined {
  readonly effect: Effect;
  readonly policies: readonly string[];
  readonly reasons: readonly Reason[];
  readonly hint?: string;
  readonly obligations: readonly Obligation[];
  readonly hold?: Hold;
}

/**
 * Several resources of one action: the strictest effect wins, and the policies and reasons are of those who caused it.
 * What an allow is bound to adds up over all of them. `outcomes` must not be empty.
 */
export function join(outcomes: readonly Outcome[]): Joined {
  const effect = strictestEffect(outcomes);
  const causes = outcomes.filter((outcome) => outcome.effect === effect);
  const policies = [...new Set(causes.flatMap((outcome) => outcome.policies.map((policy) => policy.id)))];
  const joined = { effect, policies, reasons: uniqueReasons(causes) };
  if (effect === 'deny') return { ...joined, ...hintOf(causes), obligations: [] };
  const obligations = joinObligations(outcomes.flatMap((outcome) => outcome.obligations));
  if (effect === 'allow') return { ...joined, obligations };
  return { ...joined, obligations, hold: holdOf(causes.flatMap((outcome) => outcome.asks)) };
}

export function strictestEffect(outcomes: readonly Outcome[]): Effect {
  let effect: Effect = outcomes.length === 0 ? 'deny' : 'allow';
  for (const outcome of outcomes) if (strictness[outcome.effect] > strictness[effect]) effect = outcome.effect;
  return effect;
}

/** What the policies that forbid say about other ways. */
function hintOf(causes: readonly Outcome[]): { readonly hint?: string } {
  const hints = new Set(causes.flatMap(({ policies }) => policies.flatMap(({ terms }) => terms.hint ?? [])));
  return hints.size === 0 ? {} : { hint: [...hints].join(' ') };
}

function uniqueReasons(outcomes: readonly Outcome[]): Reason[] {
  const reasons = new Map<string, Reason>();
  for (const reason of outcomes.flatMap((outcome) => outcome.reasons)) {
    reasons.set(`${reason.policy}\n${reason.text}`, reason);
  }
  return [...reasons.values()];
}

function joinObligations(all: readonly Obligation[]): Obligation[] {
  const byKey = new Map<string, Obligation>();
  for (const obligation of all) {
    const key = obligation.kind === 'notify' ? `notify ${obligation.channel}` : obligation.kind;
    const known = byKey.get(key);
    const narrower = known?.kind === 'limit_rows' && obligation.kind === 'limit_rows' && known.rows > obligation.rows;
    if (!known || narrower) byKey.set(key, obligation);
  }
  return [...byKey.values()];
}

/**
 * Everyone asked must consent, under the shortest of the terms. Policies that ask the same group ask it once, with the
 * highest of their quorums.
 */
function holdOf(asks: readonly Ask[]): Hold {
  const consents = new Map<string, Consent>();
  for (const { policy, terms } of asks) {
    const known = consents.get(terms.group);
    if (!known || terms.quorum > known.quorum) {
      consents.set(terms.group, { policy, group: terms.group, quorum: terms.quorum });
    }
  }
  return {
    consents: [...consents.values()],
    grantTtl: Math.min(...asks.map((ask) => ask.terms.grantTtl)),
    timeout: Math.min(...asks.map((ask) => ask.terms.timeout)),
    wait: waitOf(asks),
  };
}

function waitOf(asks: readonly Ask[]): WaitMode {
  const modes = new Set(asks.map((ask) => ask.terms.wait));
  const [first] = modes;
  return modes.size === 1 && first !== undefined ? first : 'both';
}
