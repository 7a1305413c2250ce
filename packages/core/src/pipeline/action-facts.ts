import type { Action } from '../domain/action.ts';
import type { Decision } from '../domain/decision.ts';
import type { ActionFacts } from '../domain/recording-event.ts';
import type { Judgement } from './judgement.ts';

/** Facts that were put together for an allowed unit, and all that they came of. */
interface Known {
  readonly facts: ActionFacts;
  readonly judgement: Pick<Judgement, 'snapshot' | 'masked'>;
  readonly decisions: readonly Decision[];
  readonly unit: Pick<Judgement['unit'], 'name' | 'labels' | 'run'>;
  readonly continues: boolean;
}

const known = new WeakMap<readonly Action[], Known[]>();
/** A statement that is sent in several ways, by principals of several rights. */
const mostKinds = 8;

/**
 * What the recording says of a judgement. Where the very same actions (frozen ones: whoever froze them keeps them) were
 * allowed by the very same decisions before, it is the same object as then.
 */
export function factsOf(judgement: Judgement): ActionFacts {
  const { unit } = judgement;
  if (judgement.effect !== 'allow' || !Object.isFrozen(unit.actions)) return putTogether(judgement);
  let kinds = known.get(unit.actions);
  const found = kinds?.find((each) => isSame(each, judgement));
  if (found) return found.facts;
  const { snapshot, masked, decisions } = judgement;
  const { name, labels, run } = unit;
  const facts = Object.freeze(putTogether(judgement));
  if (kinds === undefined || kinds.length >= mostKinds) {
    kinds = [];
    known.set(unit.actions, kinds);
  }
  kinds.push({
    facts,
    judgement: { snapshot, masked },
    decisions,
    unit: { name, labels, ...(run ? { run } : {}) },
    continues: unit.continues !== undefined,
  });
  return facts;
}

function isSame(each: Known, { unit, snapshot, masked, decisions }: Judgement): boolean {
  return (
    each.judgement.snapshot === snapshot &&
    each.unit.name === unit.name &&
    each.unit.labels === unit.labels &&
    each.unit.run === unit.run &&
    each.continues === (unit.continues !== undefined) &&
    each.decisions.length === decisions.length &&
    each.decisions.every((decision, index) => decision === decisions[index]) &&
    each.judgement.masked.size === masked.size &&
    (masked.size === 0 || [...masked].every((label) => each.judgement.masked.has(label)))
  );
}

function putTogether(judgement: Judgement): ActionFacts {
  const { unit } = judgement;
  return {
    name: unit.name,
    text: unit.continues ? [] : [...new Set(unit.actions.map((action) => action.text))],
    actions: unit.actions.map((action) => ({
      verb: action.verb,
      access: action.access,
      resources: action.resources.map((resource) => `${resource.type}::${resource.id}`),
    })),
    effect: judgement.effect,
    policies: judgement.policies,
    reasons: judgement.reasons,
    obligations: judgement.obligations,
    dryRun: judgement.dryRun,
    policyHash: judgement.snapshot.hash,
    labels: unit.labels,
    ...(unit.run ? { run: unit.run } : {}),
  };
}
