import type { Question, SessionFacts } from '@sluice/core/contract/policy.ts';
import type { Action } from '@sluice/core/domain/action.ts';
import type { Decision } from '@sluice/core/domain/decision.ts';
import type { Principal } from '@sluice/core/domain/principal.ts';
import type { Target } from '@sluice/core/domain/target.ts';
import type { FactsPart } from './session-context.ts';

interface Met {
  readonly target: Target;
  readonly decision: Decision;
  /** What the decision can depend on of what the session knows; undefined where it does not matter. */
  readonly client: SessionFacts['client'] | undefined;
  readonly run: SessionFacts['run'];
  readonly labelsSeen: SessionFacts['labelsSeen'] | undefined;
  readonly ofRun: boolean;
}

/**
 * Decisions about the very same action of the very same principal, found without looking into either. Only actions that
 * are frozen are met again: whoever freezes one says that it is kept, and that it stays as it is. Where a policy reads
 * what the session knows, that must be the very same, too; where it reads the time, nothing is met again. Policies cannot
 * read an action's text, so one that differs from another in that only is decided as that one was.
 */
export class MetQuestions {
  readonly #byPrincipal = new WeakMap<Principal, WeakMap<Action, Met>>();

  find({ principal, target, action, facts }: Question): Decision | undefined {
    const met = this.#byPrincipal.get(principal)?.get(withoutText(action));
    if (met === undefined || met.target !== target) return undefined;
    if (met.client !== undefined && met.client !== facts.client) return undefined;
    if (met.labelsSeen !== undefined && met.labelsSeen !== facts.labelsSeen) return undefined;
    if (met.ofRun && met.run !== facts.run) return undefined;
    // A question without a time is malformed, whatever was decided before.
    return Number.isSafeInteger(facts.now) ? met.decision : undefined;
  }

  /** `reads`: parts of the facts on which the decision can depend. */
  keep({ principal, target, action: asked, facts }: Question, decision: Decision, reads: ReadonlySet<FactsPart>): void {
    const action = withoutText(asked);
    if (!Object.isFrozen(action) || reads.has('now')) return;
    let met = this.#byPrincipal.get(principal);
    if (met === undefined) {
      met = new WeakMap();
      this.#byPrincipal.set(principal, met);
    }
    const ofRun = reads.has('run');
    met.set(action, {
      target,
      decision,
      client: reads.has('client') ? facts.client : undefined,
      run: ofRun ? facts.run : undefined,
      labelsSeen: reads.has('labelsSeen') ? facts.labelsSeen : undefined,
      ofRun,
    });
  }
}

/** Its model, where that is one. */
function withoutText(action: Action): Action {
  const { model } = action;
  if (model === undefined) return action;
  const same =
    model.verb === action.verb &&
    model.access === action.access &&
    model.resources === action.resources &&
    model.context === action.context;
  return same ? model : action;
}
