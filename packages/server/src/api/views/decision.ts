import type { DecisionView, DryRunResult } from '@sluice/api/schema/policy.ts';
import type { Decision, Obligation } from '@sluice/core/domain/decision.ts';
import type { PrincipalRef } from '@sluice/core/domain/principal.ts';
import type { DryRun } from '../services.ts';
import { refView } from './principal.ts';

export function decisionView(decision: Decision): DecisionView {
  return {
    effect: decision.effect,
    policies: [...decision.policies],
    reasons: decision.reasons.map((reason) => ({ ...reason })),
    obligations: decision.obligations.map((obligation: Obligation) => ({ ...obligation })),
    ...(decision.hold
      ? {
          hold: {
            consents: decision.hold.consents.map((consent) => ({ ...consent })),
            grant_ttl_ms: decision.hold.grantTtl,
            timeout_ms: decision.hold.timeout,
            wait: decision.hold.wait,
          },
        }
      : {}),
    dry_run: decision.dryRun.map((dryRun) => ({ ...dryRun })),
    policy_hash: decision.policyHash,
  };
}

export function dryRunView(dryRun: DryRun, target: string, principal: PrincipalRef): DryRunResult {
  return {
    target,
    principal: refView(principal),
    decision: decisionView(dryRun.decision),
    actions: dryRun.actions.map((action) => ({
      verb: action.verb,
      access: action.access,
      resources: [...action.resources],
      explanation: { ...action.explanation },
    })),
    labels: [...dryRun.labels],
    masked: [...dryRun.masked],
  };
}
