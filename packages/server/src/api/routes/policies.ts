import { ApiError } from '@sluice/api/api-error.ts';
import type { SupposedPrincipal } from '@sluice/api/schema/principal.ts';
import type { Principal } from '@sluice/core/domain/principal.ts';
import type { Handlers } from '../handler.ts';
import { dryRunView } from '../views/decision.ts';

type Names = 'getPolicies' | 'dryRunPolicies';

export const policyRoutes: Pick<Handlers, Names> = {
  async getPolicies({ services, guard }) {
    const { hash, epoch, files, problems } = services.policies.current();
    // File names and the text around an error say more about the rules than someone ruled by them needs to know.
    const views = services.targets.list().some((target) => guard.allows('gateway:view', target.name));
    if (!views) return { hash, epoch };
    return { hash, epoch, files: [...files], ...(problems ? { problems: problems.map((one) => ({ ...one })) } : {}) };
  },

  async dryRunPolicies({ services, guard, body, client }) {
    const target = services.targets.list().find((candidate) => candidate.name === body.target);
    const { name } = guard.must(target, (found) => ({ target: found.name }), 'No target of this name to connect to.');
    if (body.principal && !guard.allows('gateway:manage', name)) {
      throw new ApiError('refused', 'Supposing another principal needs gateway:manage on the target.', {
        hint: 'Leave the principal out to ask for yourself.',
      });
    }
    const principal = body.principal ? supposed(body.principal, services.clock.now()) : guard.principal;
    const result = await services.policies.dryRun({ principal, target: name, statement: body.statement, client });
    return dryRunView(result, name, principal);
  },
};

function supposed(wanted: SupposedPrincipal, now: number): Principal {
  const hash = wanted.id.indexOf('#');
  return {
    kind: wanted.kind,
    id: wanted.id,
    issuer: hash < 0 ? '' : wanted.id.slice(0, hash),
    subject: wanted.id.slice(hash + 1),
    displayName: wanted.id,
    groups: wanted.groups,
    ...(wanted.owner ? { owner: wanted.owner } : {}),
    chain: [],
    expiresAt: now + 60_000,
  };
}
