import type { AccessRequest } from '@sluice/core/domain/access-request.ts';
import type { Guarded } from '../guard.ts';
import type { Call, Handlers } from '../handler.ts';
import { pageOf } from '../paging.ts';
import { accessRequestView } from '../views/access-request.ts';

type Names =
  | 'listAccessRequests'
  | 'getAccessRequest'
  | 'approveAccessRequest'
  | 'denyAccessRequest'
  | 'revokeAccessRequest';

export const accessRequestRoutes: Pick<Handlers, Names> = {
  async listAccessRequests({ services, guard, query }) {
    const page = await pageOf({
      limit: query.limit ?? 50,
      before: query.before,
      fetch: (limit, before) =>
        services.requests.list({
          limit,
          ...(query.state === undefined ? {} : { state: query.state }),
          ...(query.target === undefined ? {} : { target: query.target }),
          ...(before === undefined ? {} : { before }),
        }),
      visible: guard.filter(guarded),
      at: (row) => row.createdAt,
    });
    const now = services.clock.now();
    return { ...page, items: page.items.map((request) => accessRequestView(request, guard.principal, now)) };
  },

  async getAccessRequest(call) {
    return accessRequestView(await find(call), call.guard.principal, call.services.clock.now());
  },

  async approveAccessRequest(call) {
    return answer(call, 'approve');
  },

  async denyAccessRequest(call) {
    return answer(call, 'deny');
  },

  async revokeAccessRequest(call) {
    const { services, guard } = call;
    const { id } = await find(call);
    const revoked = await services.requests.revoke(id, guard.principal);
    return accessRequestView(revoked, guard.principal, services.clock.now());
  },
};

type OneRequest =
  | Call<'getAccessRequest'>
  | Call<'approveAccessRequest'>
  | Call<'denyAccessRequest'>
  | Call<'revokeAccessRequest'>;

async function answer(call: Call<'approveAccessRequest'> | Call<'denyAccessRequest'>, reply: 'approve' | 'deny') {
  const { services, guard } = call;
  const { id } = await find(call);
  const answered = await services.requests.answer(id, guard.principal, reply, call.body?.comment);
  return accessRequestView(answered, guard.principal, services.clock.now());
}

async function find({ services, guard, params }: OneRequest): Promise<AccessRequest> {
  return guard.must(await services.requests.get(params.id), guarded, 'No access request of this id.');
}

function guarded(request: AccessRequest): Guarded {
  return { target: request.target, owner: request.requester.id, request };
}
