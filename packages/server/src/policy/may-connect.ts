import type { Clock } from '@sluice/core/contract/clock.ts';
import type { PolicySource } from '@sluice/core/contract/policy.ts';
import type { Effect } from '@sluice/core/domain/decision.ts';
import type { Principal } from '@sluice/core/domain/principal.ts';
import type { ClientInfo } from '@sluice/core/domain/session.ts';
import type { Target } from '@sluice/core/domain/target.ts';
import { gatewayAction } from '@sluice/policy/gateway.ts';

type Verb = Parameters<typeof gatewayAction>[0];

export interface RightParts {
  readonly clock: Pick<Clock, 'now'>;
  readonly policies: Pick<PolicySource, 'current'>;
  readonly targets: ReadonlyMap<string, Target>;
}

/** What policy says now to one of the gateway's own verbs, or to `connect`; deny for an unknown target. */
export function rightTo(
  { clock, policies, targets }: RightParts,
  verb: Verb,
  principal: Principal,
  name: string,
  client: ClientInfo,
): Effect {
  const target = targets.get(name);
  if (!target) return 'deny';
  const facts = { client, labelsSeen: [], now: clock.now() };
  return policies.current().decide({ principal, target, action: gatewayAction(verb, name), facts }).effect;
}

/** A hold counts as well: the session itself will be held. */
export function mayConnect(parts: RightParts, principal: Principal, name: string, client: ClientInfo): boolean {
  return rightTo(parts, 'connect', principal, name, client) !== 'deny';
}
