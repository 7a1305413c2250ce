/**
 * A policy set in force: answers questions about actions. It keeps decisions, under everything a policy of the set can
 * tell apart; it holds no other state, and an answer never depends on who asked before.
 */
import type { PolicySnapshot, Question, SessionFacts } from '@sluice/core/contract/policy.ts';
import type { Decision, DryRun } from '@sluice/core/domain/decision.ts';
import type { Principal } from '@sluice/core/domain/principal.ts';
import type { Target } from '@sluice/core/domain/target.ts';
import { entitiesIn, scopeActions } from './ast.ts';
import { cacheKey, readsByVerb, type VerbReads } from './cache-key.ts';
import { type Applying, Engine } from './engine.ts';
import { UnfitQuestion } from './entities.ts';
import { type Explanation, explain } from './explain.ts';
import { revealAction } from './gateway.ts';
import { join, strictestEffect } from './join.ts';
import { Lru } from './lru.ts';
import { MetQuestions } from './met-questions.ts';
import { nearestPermit } from './nearest-permit.ts';
import { type Applied, byDefault, type Outcome, outcomeOf } from './outcome.ts';
import type { LoadedPolicy, PolicySet } from './policy-set.ts';
import { declaredVerb, requestsFor } from './request.ts';

export interface SnapshotOptions {
  /** Told of questions that could not be put to the policies, and of policies that could not be evaluated. */
  readonly onFault?: (message: string) => void;
  /** How many decisions are kept; 0 keeps none. */
  readonly keep?: number;
}

/** How often a refusal may be explained by what is nearest to it. */
const hintsPerSecond = 20;

export class EnforcedPolicies implements PolicySnapshot {
  readonly hash: string;
  readonly epoch: number;
  readonly set: PolicySet;
  readonly #engine: Engine;
  readonly #reads: ReadonlyMap<string, VerbReads>;
  readonly #groups: ReadonlySet<string>;
  readonly #kept: Lru<Decision>;
  readonly #met = new MetQuestions();
  readonly #onFault: (message: string) => void;
  #hints = { second: 0, left: 0 };

  constructor(set: PolicySet, epoch: number, { onFault = () => {}, keep = 10_000 }: SnapshotOptions = {}) {
    this.hash = set.hash;
    this.epoch = epoch;
    this.set = set;
    this.#engine = new Engine(set.policies, set.schema);
    this.#reads = readsByVerb(set.policies, set.schema);
    this.#groups = groupsNamedIn(set.policies);
    this.#kept = new Lru(keep, keep * 1000);
    this.#onFault = onFault;
  }

  decide(question: Question): Decision {
    const met = this.#met.find(question);
    if (met) return met;
    try {
      declaredVerb(question, this.set.schema);
      const reads = this.#reads.get(question.action.verb);
      if (!reads?.cacheable) return this.#judge(question);
      const key = cacheKey(question, reads);
      const kept = this.#kept.get(key);
      const decision = kept ?? this.#judge(question);
      if (!kept) this.#kept.set(key, decision);
      this.#met.keep(question, decision, reads.facts);
      return decision;
    } catch (error) {
      return this.#unfit(error);
    }
  }

  reveals(principal: Principal, target: Target, label: string, facts: SessionFacts): boolean {
    const { effect, obligations } = this.decide({ principal, target, action: revealAction(label), facts });
    // There is nobody here to carry out an obligation, so a permit that lays one down does not reveal.
    return effect === 'allow' && obligations.length === 0;
  }

  /** Finding it costs as much as several decisions, so that whoever is refused again and again is told less. */
  nearest(question: Question): string | undefined {
    const second = Math.floor(question.facts.now / 1000);
    if (second !== this.#hints.second) this.#hints = { second, left: hintsPerSecond };
    if (this.#hints.left === 0) return undefined;
    this.#hints.left--;
    return nearestPermit(this.explain(question));
  }

  /** The decision and how it came about, for people and tools. Slow: never for a decision that is acted upon. */
  explain(question: Question): Explanation {
    const decision = this.decide(question);
    try {
      declaredVerb(question, this.set.schema);
      // All of what was asked: policies for other verbs are tried on it as well.
      const requests = requestsFor(question, this.set.schema, this.#groups);
      const applied = requests.map((request) => this.#engine.applying(request));
      const outcomes = applied.map((applying, index) => this.#outcome(question, index, applying));
      return explain({ question, decision, set: this.set, requests, applied, outcomes });
    } catch (error) {
      return {
        ...explain({ question, decision, set: this.set, requests: [], applied: [], outcomes: [] }),
        fault: text(error),
      };
    }
  }

  #judge(question: Question): Decision {
    const requests = requestsFor(question, this.set.schema, this.#groups, this.#reads.get(question.action.verb));
    const applied = requests.map((request) => this.#engine.applying(request));
    for (const { failed } of applied) {
      for (const [policy, message] of failed) this.#onFault(`policy "${policy}" could not be evaluated: ${message}`);
    }
    const outcomes = applied.map((applying, index) => this.#outcome(question, index, applying));
    const joined = join(outcomes);
    const dryRun = this.#dryRun(question, applied, joined.effect);
    return frozen({ ...joined, dryRun, policyHash: this.hash });
  }

  /** The outcome for one resource; with `trial`, as if that dry-run policy were enforced. */
  #outcome({ principal, action }: Question, index: number, applying: Applying, trial?: LoadedPolicy): Outcome {
    const steers = this.set.schema.verbs.get(action.verb)?.access === 'connect';
    const counted = this.set.policies
      .filter((policy) => (policy.terms.status === 'enforce' || policy === trial) && applying.applied.has(policy.id))
      .flatMap((policy) => (steers ? (asSteering(policy, action.verb) ?? []) : [policy]));
    const failed = this.set.policies.filter(
      (policy) => (policy.terms.status === 'enforce' || policy === trial) && applying.failed.has(policy.id),
    );
    const applied: Applied = {
      permits: counted.filter((policy) => policy.effect === 'permit'),
      forbids: counted.filter((policy) => policy.effect === 'forbid'),
      failed,
    };
    const hasOwner = principal.kind === 'agent' && principal.owner !== undefined;
    return outcomeOf(applied, hasOwner, () => {
      if (this.set.policies.length === 0) return 'No policies are loaded, so everything is denied.';
      const { verb, access } = action;
      const resource = action.resources[index];
      const ofClass = this.set.schema.verbs.get(verb)?.access === undefined ? '' : ` (${access})`;
      return `No policy permits ${verb}${ofClass} on ${resource?.type ?? ''} "${resource?.id ?? ''}".`;
    });
  }

  /** Each dry-run policy by itself: what the effect would be if it were enforced beside those that are. */
  #dryRun(question: Question, applied: readonly Applying[], effect: Decision['effect']): DryRun[] {
    const found: DryRun[] = [];
    for (const policy of this.set.policies) {
      if (policy.terms.status !== 'dry_run') continue;
      if (!applied.some((each) => each.applied.has(policy.id) || each.failed.has(policy.id))) continue;
      const trial = applied.map((applying, index) => this.#outcome(question, index, applying, policy));
      const wouldBe = strictestEffect(trial);
      if (wouldBe !== effect) found.push({ policy: policy.id, effect: wouldBe });
    }
    return found;
  }

  #unfit(error: unknown): Decision {
    this.#onFault(`a question could not be put to the policies: ${text(error)}`);
    const why = error instanceof UnfitQuestion ? `: ${error.message}` : '';
    const reason = { policy: byDefault, text: `This could not be put to the policies${why}. It is denied.` };
    return { effect: 'deny', policies: [], reasons: [reason], obligations: [], dryRun: [], policyHash: this.hash };
  }
}

/**
 * A policy as it counts for a verb that only steers a session, like BEGIN. Consent that is asked for the class was given
 * when the session opened, and is not asked for again: the permit stands, and the forbid is lifted. A policy that names
 * the verb itself asks each time.
 */
function asSteering(policy: LoadedPolicy, verb: string): LoadedPolicy | undefined {
  const { terms } = policy;
  if (terms.approval === undefined || scopeActions(policy.json)?.includes(verb)) return policy;
  return policy.effect === 'permit' ? { ...policy, terms: { ...terms, approval: undefined } } : undefined;
}

function groupsNamedIn(policies: readonly LoadedPolicy[]): ReadonlySet<string> {
  const named = policies.flatMap((policy) => entitiesIn(policy.json));
  return new Set(named.filter((entity) => entity.type === 'Group').map((entity) => entity.id));
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A kept decision is handed to many callers; none may change it for the others. */
function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const each of Object.values(value)) frozen(each);
  }
  return value;
}
