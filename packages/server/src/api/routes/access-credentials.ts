import { ApiError } from '@sluice/api/api-error.ts';
import { parseDuration } from '@sluice/api/duration.ts';
import type { Handlers } from '../handler.ts';
import { credentialView } from '../views/access-credential.ts';
import { time } from '../views/time.ts';

type Names = 'issueAccessCredential' | 'listAccessCredentials' | 'revokeAccessCredential';

export const accessCredentialRoutes: Pick<Handlers, Names> = {
  async issueAccessCredential({ services, guard, body }) {
    const target = services.targets.list().find((candidate) => candidate.name === body.target);
    const found = guard.must(target, (each) => ({ target: each.name }), 'No target of this name to connect to.');
    const { name } = found;
    const { clientAccess } = services.targets.access(found);
    if (body.public_key !== undefined && !clientAccess) {
      throw new ApiError('bad_request', `Clients of the target ${name} can't use a certificate.`, {
        hint: 'Leave public_key out: its access credentials are a user name and a password.',
      });
    }
    const ttlMs = body.ttl === undefined ? undefined : parseDuration(body.ttl);
    if (body.ttl !== undefined && ttlMs === undefined) throw new ApiError('bad_request', 'ttl is not a duration.');
    const issued = await services.credentials.issue({
      principal: guard.principal,
      target: name,
      ...(ttlMs === undefined ? {} : { ttlMs }),
      ...(body.uses === undefined ? {} : { uses: body.uses }),
    });
    // The one place where the secret leaves the gateway: to the principal it was just made for.
    const answer = { id: issued.id, secret: issued.secret.reveal(), target: name, expires_at: time(issued.expiresAt) };
    if (body.public_key === undefined || !clientAccess) return answer;
    const { id: credential, expiresAt } = issued;
    try {
      const wish = { credential, target: name, publicKey: body.public_key, expiresAt };
      const { certificate, gatewayKeys } = clientAccess.certify(wish);
      return { ...answer, certificate, gateway_keys: [...gatewayKeys] };
    } catch (error) {
      // Nobody will ever know its secret, so nobody may be able to use it.
      await services.credentials.revoke(credential, guard.principal);
      throw error;
    }
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
