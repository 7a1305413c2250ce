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
 * that nothing of the session can change; the caller knows which these are.
 */
export class MetQuestions {
  readonly #byPrincipal = new WeakMap<Principal, WeakMap<Action, Met>>();

  find({ principal, target, action, facts }: Question): Decision | undefined {
    const met = this.#byPrincipal.get(principal)?.get(action);
    // A question without a time is malformed, whatever was decided before.
    return met !== undefined && met.target === target && Number.isSafeInteger(facts.now) ? met.decision : undefined;
  }

  keep({ principal, target, action }: Question, decision: Decision): void {
    if (!Object.isFrozen(action)) return;
    let met = this.#byPrincipal.get(principal);
    if (met === undefined) {
      met = new WeakMap();
      this.#byPrincipal.set(principal, met);
    }
    met.set(action, { target, decision });
  }
}
