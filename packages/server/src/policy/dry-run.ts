import type { Clock } from '@sluice/core/contract/clock.ts';
import type { SessionFacts } from '@sluice/core/contract/policy.ts';
import type { Decision } from '@sluice/core/domain/decision.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import type { Principal } from '@sluice/core/domain/principal.ts';
import type { ClientInfo, SessionInfo } from '@sluice/core/domain/session.ts';
import type { Target } from '@sluice/core/domain/target.ts';
import type { Unit } from '@sluice/core/domain/unit.ts';
import { begin } from '@sluice/core/pipeline/judgement.ts';
import { type OrderPorts, order } from '@sluice/core/pipeline/order.ts';
import type { Explanation } from '@sluice/policy/explain.ts';
import type { EnforcedPolicies } from '@sluice/policy/snapshot.ts';

export interface DryRunPorts {
  readonly clock: Pick<Clock, 'now'>;
  readonly policies: { current(): EnforcedPolicies };
  readonly order: OrderPorts;
  target(name: string): Target | undefined;
  /** What the text would mean on the target; rejects with a CoreError when it has no meaning. */
  interpret(target: Target, text: string): Promise<Unit>;
}

export interface DryRunQuestion {
  readonly principal: Principal;
  readonly target: string;
  readonly statement: string;
  readonly client: ClientInfo;
  /** What else the session would know; now, and no label seen, when absent. */
  readonly facts?: Partial<Omit<SessionFacts, 'client'>>;
}

export interface DryRunAnswer {
  readonly decision: Decision;
  readonly actions: readonly {
    readonly verb: string;
    readonly access: string;
    readonly resources: readonly string[];
    readonly explanation: Explanation;
  }[];
  readonly labels: readonly string[];
  readonly masked: readonly string[];
}

/**
 * What would be decided about a statement if it were sent now. It goes through the same order of steps as one that is
 * sent, up to the permit, and reaches neither the target nor a recording.
 */
export async function dryRun(ports: DryRunPorts, question: DryRunQuestion): Promise<DryRunAnswer> {
  const target = ports.target(question.target);
  if (!target)
    throw new CoreError('unknown_target', 'client', `There is no target "${question.target}" on this gateway.`);
  const unit = await ports.interpret(target, question.statement);
  const snapshot = ports.policies.current();
  const { principal, client } = question;
  const facts: SessionFacts = { labelsSeen: [], now: ports.clock.now(), ...question.facts, client };
  const session: SessionInfo = { id: 'dry-run', principal, target, client, startedAt: facts.now };
  const judgement = begin(session, unit, snapshot, facts);
  for (const step of order) step.run(judgement, ports.order);
  const { effect, policies, reasons, obligations, hold, dryRun: trials, masked } = judgement;
  return {
    decision: {
      effect,
      policies,
      reasons,
      obligations,
      ...(hold ? { hold } : {}),
      dryRun: trials,
      policyHash: snapshot.hash,
    },
    actions: unit.actions.map((action) => ({
      verb: action.verb,
      access: action.access,
      resources: action.resources.map((resource) => `${resource.type}::"${resource.id}"`),
      explanation: snapshot.explain({ principal, target, action, facts }),
    })),
    labels: unit.labels,
    masked: [...masked],
  };
}
