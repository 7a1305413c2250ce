import { ApiError } from '@sluice/api/api-error.ts';
import { parseDuration } from '@sluice/api/duration.ts';
import type { Handlers } from '../handler.ts';
import { credentialView } from '../views/access-credential.ts';
import { time } from '../views/time.ts';

type Names = 'issueAccessCredential' | 'listAccessCredentials' | 'revokeAccessCredential';

export const accessCredentialRoutes: Pick<Handlers, Names> = {
  async issueAccessCredential({ services, guard, body }) {
    const target = services.targets.list().find((candidate) => candidate.name === body.target);
    const { name } = guard.must(target, (found) => ({ target: found.name }), 'No target of this name to connect to.');
    const ttlMs = body.ttl === undefined ? undefined : parseDuration(body.ttl);
    if (body.ttl !== undefined && ttlMs === undefined) throw new ApiError('bad_request', 'ttl is not a duration.');
    const issued = await services.credentials.issue({
      principal: guard.principal,
      target: name,
      ...(ttlMs === undefined ? {} : { ttlMs }),
      ...(body.uses === undefined ? {} : { uses: body.uses }),
    });
    // The one place where the secret leaves the gateway: to the principal it was just made for.
    return { id: issued.id, secret: issued.secret.reveal(), target: name, expires_at: time(issued.expiresAt) };
  },

  async listAccessCredentials({ services, guard }) {
    const records = await services.credentials.list(guard.principal.id);
    const own = records.filter((record) => record.principal === guard.principal.id);
    return { items: own.map(credentialView) };
  },

  async revokeAccessCredential({ services, guard, params }) {
    const record = guard.must(
      await services.credentials.find(params.id),
      (found) => ({ target: found.target, owner: found.principal }),
      'No access credential of this id.',
    );
    await services.credentials.revoke(record.id, guard.principal);
    return { id: record.id, revoked: true };
  },
};
