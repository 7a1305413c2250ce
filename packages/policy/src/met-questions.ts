import type { Question } from '@sluice/core/contract/policy.ts';
import type { Action } from '@sluice/core/domain/action.ts';
import type { Decision } from '@sluice/core/domain/decision.ts';
import type { Principal } from '@sluice/core/domain/principal.ts';
import type { Target } from '@sluice/core/domain/target.ts';

interface Met {
  readonly target: Target;
  readonly decision: Decision;
}

/**
 * Decisions about the very same action of the very same principal, found without looking into either. Only actions that
 * are frozen are met again: whoever freezes one says that it is kept, and that it stays as it is. Only for decisions
 * that nothing of the session can change; the caller knows which these are. Policies cannot read an action's text, so one
 * that differs from another in that only is decided as that one was.
 */
export class MetQuestions {
  readonly #byPrincipal = new WeakMap<Principal, WeakMap<Action, Met>>();

  find({ principal, target, action, facts }: Question): Decision | undefined {
    const met = this.#byPrincipal.get(principal)?.get(withoutText(action));
    // A question without a time is malformed, whatever was decided before.
    return met !== undefined && met.target === target && Number.isSafeInteger(facts.now) ? met.decision : undefined;
  }

  keep({ principal, target, action: asked }: Question, decision: Decision): void {
    const action = withoutText(asked);
    if (!Object.isFrozen(action)) return;
    let met = this.#byPrincipal.get(principal);
    if (met === undefined) {
      met = new WeakMap();
      this.#byPrincipal.set(principal, met);
    }
    met.set(action, { target, decision });
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
