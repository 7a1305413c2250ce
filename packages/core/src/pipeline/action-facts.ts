import type { Action } from '../domain/action.ts';
import type { Decision } from '../domain/decision.ts';
import type { ActionFacts } from '../domain/recording-event.ts';
import type { Judgement } from './judgement.ts';

/** Facts that were put together for an allowed unit, and all that they came of. */
interface Known {
  readonly facts: ActionFacts;
  readonly actions: readonly Action[];
  /** Not the set of policies itself, which is large and would live as long as the action does. */
  readonly policyHash: string;
  readonly masked: ReadonlySet<string>;
  readonly decisions: readonly Decision[];
  readonly unit: Pick<Judgement['unit'], 'name' | 'labels' | 'run'>;
}

/** By the first of the actions, or what that is modelled on. */
const known = new WeakMap<Action, Known[]>();
/** A statement that is sent in several ways, by principals of several rights. */
const mostKinds = 8;

/**
 * What the recording says of a judgement, beside the words of the client. Where the very same actions, or others modelled
 * on the same ones, were allowed by the very same decisions before, it is the same object as then; for frozen actions
 * only: whoever froze them keeps them.
 */
export function factsOf(judgement: Judgement): ActionFacts {
  const { unit, effect, snapshot, masked, decisions } = judgement;
  const [first] = unit.actions;
  const key = first && (first.model ?? first);
  if (effect !== 'allow' || key === undefined || !Object.isFrozen(key)) return putTogether(judgement);
  let kinds = known.get(key);
  const found = kinds?.find((each) => isSame(each, judgement));
  if (found) return found.facts;
  const { name, labels, run } = unit;
  const facts = Object.freeze(putTogether(judgement));
  if (kinds === undefined || kinds.length >= mostKinds) {
    kinds = [];
    known.set(key, kinds);
  }
  kinds.push({
    facts,
    actions: [...unit.actions],
    policyHash: snapshot.hash,
    masked,
    decisions,
    unit: { name, labels, ...(run ? { run } : {}) },
  });
  return facts;
}

function isSame(each: Known, { unit, snapshot, masked, decisions }: Judgement): boolean {
  return (
    each.policyHash === snapshot.hash &&
    each.unit.name === unit.name &&
    each.unit.labels === unit.labels &&
    each.unit.run === unit.run &&
    each.actions.length === unit.actions.length &&
    each.actions.every((action, index) => isSameButForWords(action, unit.actions[index])) &&
    each.decisions.length === decisions.length &&
    each.decisions.every((decision, index) => decision === decisions[index]) &&
    each.masked.size === masked.size &&
    (masked.size === 0 || [...masked].every((label) => each.masked.has(label)))
  );
}

function isSameButForWords(a: Action, b: Action | undefined): boolean {
  if (a === b) return true;
  return b !== undefined && a.verb === b.verb && a.access === b.access && a.resources === b.resources;
}

function putTogether(judgement: Judgement): ActionFacts {
  const { unit } = judgement;
  return {
    name: unit.name,
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
