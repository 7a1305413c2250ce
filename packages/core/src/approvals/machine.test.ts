import { describe, expect, it } from 'vitest';
import type { AccessRequest, AccessRequestState, Approval } from '../domain/access-request.ts';
import type { Principal } from '../domain/principal.ts';
import { type AccessRequestEvent, advance } from './machine.ts';
import type { ApprovalRefusal } from './refusal.ts';

const start = 1_000;
const timeout = start + 60_000;
const ttl = 10_000;

function person(id: string, groups: string[] = [], more: Partial<Principal> = {}): Principal {
  return {
    kind: 'user',
    id: `idp#${id}`,
    issuer: 'idp',
    subject: id,
    displayName: id,
    groups,
    chain: [],
    expiresAt: Number.MAX_SAFE_INTEGER,
    ...more,
  };
}

function request(more: Partial<AccessRequest> = {}): AccessRequest {
  return {
    id: 'req_1',
    state: 'pending',
    session: 'ses_1',
    requester: { kind: 'agent', id: 'idp#bot' },
    requesterName: 'bot',
    behind: ['idp#bot', 'idp#olga', 'idp#carl'],
    owner: { kind: 'user', id: 'idp#olga' },
    target: 'shop',
    unit: 'Query',
    actions: [],
    parameters: [],
    binding: {},
    labels: [],
    digest: 'd1',
    consents: [{ policy: 'p', group: 'dba', quorum: 1 }],
    reasons: [],
    policyHash: 'h',
    approvals: [],
    createdAt: start,
    expiresAt: timeout,
    grantTtl: ttl,
    ...more,
  };
}

const answer = (reviewer: Principal, how: Approval['answer'] = 'approve'): AccessRequestEvent => ({
  type: 'answer',
  reviewer,
  answer: how,
});
const dba = person('dora', ['dba']);
const useBy = (...members: [string, string[]][]): AccessRequestEvent => ({
  type: 'use',
  digest: 'd1',
  members: new Map(members.map(([id, groups]) => [`idp#${id}`, groups])),
});
const use = useBy(['dora', ['dba']]);

function approvedRequest(): AccessRequest {
  return advance(request(), answer(dba), start + 5).request;
}

describe('every state and every event', () => {
  const states: AccessRequestState[] = ['pending', 'approved', 'denied', 'expired', 'cancelled', 'used', 'revoked'];
  const events: Record<string, AccessRequestEvent> = {
    approve: answer(person('dave', ['dba'])),
    deny: answer(person('dave', ['dba']), 'deny'),
    cancel: { type: 'cancel' },
    use,
    revoke: { type: 'revoke' },
    lapse: { type: 'lapse' },
  };
  const moves: Record<string, Partial<Record<AccessRequestState, AccessRequestState>>> = {
    approve: { pending: 'approved' },
    deny: { pending: 'denied' },
    cancel: { pending: 'cancelled' },
    use: { approved: 'used' },
    revoke: { approved: 'revoked' },
    lapse: {},
  };
  const late: Partial<Record<AccessRequestState, AccessRequestState>> = { pending: 'expired', approved: 'expired' };

  for (const state of states) {
    for (const [name, event] of Object.entries(events)) {
      const from = { ...approvedRequest(), state, expiresAt: timeout };
      const next = moves[name]?.[state];
      it(`${state} + ${name} in time -> ${next ?? 'refused'}`, () => {
        const result = advance(from, event, start + 10);
        expect(result.ok).toBe(next !== undefined);
        expect(result.request.state).toBe(next ?? state);
        if (next === undefined) expect(result.request).toBe(from);
      });
      it(`${state} + ${name} at the end of its time -> ${late[state] ?? 'refused'}`, () => {
        const result = advance(from, event, timeout);
        expect(result.ok).toBe(name === 'lapse' && late[state] !== undefined);
        expect(result.request.state).toBe(late[state] ?? state);
      });
    }
  }
});

describe('who may review', () => {
  const rows: [string, Principal, Partial<AccessRequest>, ApprovalRefusal | 'approved' | 'pending'][] = [
    ['a member of the group', dba, {}, 'approved'],
    ['someone of another group', person('eve', ['ops']), {}, 'not_a_reviewer'],
    ['the requester', person('bot', ['dba']), {}, 'own_request'],
    ['the requester under another kind', person('bot', ['dba'], { kind: 'service' }), {}, 'own_request'],
    ['the owner, where a group is asked', person('olga', ['dba']), {}, 'own_request'],
    ['someone in the chain of delegation', person('carl', ['dba']), {}, 'own_request'],
    [
      'an agent of the owner',
      person('bot2', ['dba'], { kind: 'agent', owner: { kind: 'user', id: 'idp#olga' } }),
      {},
      'own_request',
    ],
    [
      'someone who acts for the requester',
      person('z', ['dba'], { chain: [{ kind: 'agent', id: 'idp#bot' }] }),
      {},
      'own_request',
    ],
    [
      'an agent of somebody else',
      person('bot3', ['dba'], { kind: 'agent', owner: { kind: 'user', id: 'idp#x' } }),
      {},
      'not_a_person',
    ],
    ['a service', person('ci', ['dba'], { kind: 'service' }), {}, 'not_a_person'],
    [
      'a person through a delegation',
      person('y', ['dba'], { chain: [{ kind: 'agent', id: 'idp#q' }] }),
      {},
      'not_a_person',
    ],
    ['someone whose proof has run out', person('dora', ['dba'], { expiresAt: start + 1 }), {}, 'proof_expired'],
    [
      'the owner, where the owner is asked',
      person('olga'),
      { consents: [{ policy: 'p', group: 'owner', quorum: 1 }] },
      'approved',
    ],
    [
      'the owner counts as owner only',
      person('olga', ['dba']),
      {
        consents: [
          { policy: 'p', group: 'owner', quorum: 1 },
          { policy: 'q', group: 'dba', quorum: 1 },
        ],
      },
      'pending',
    ],
    [
      'a group that is named owner',
      person('eve', ['owner']),
      { consents: [{ policy: 'p', group: 'owner', quorum: 1 }] },
      'not_a_reviewer',
    ],
    [
      'a requester who is their own owner',
      person('bot', ['owner']),
      { owner: { kind: 'user', id: 'idp#bot' }, consents: [{ policy: 'p', group: 'owner', quorum: 1 }] },
      'own_request',
    ],
    ['where nothing is asked', dba, { consents: [] }, 'not_a_reviewer'],
  ];
  it.each(rows)('%s', (_name, reviewer, more, expected) => {
    const result = advance(request(more), answer(reviewer), start + 1);
    expect(result.ok ? result.request.state : result.refusal).toBe(expected);
    if (!result.ok) expect(result.request.approvals).toEqual([]);
  });

  it('counts one person once', () => {
    const two = request({ consents: [{ policy: 'p', group: 'dba', quorum: 2 }] });
    const once = advance(two, answer(dba), start + 1);
    expect(once.request.state).toBe('pending');
    const again = advance(once.request, answer(dba), start + 2);
    expect(again).toMatchObject({ ok: false, refusal: 'already_answered' });
    expect(advance(once.request, answer(person('dave', ['dba'])), start + 2).request.state).toBe('approved');
  });

  it('lets one refusal settle it, whatever was approved before', () => {
    const two = request({ consents: [{ policy: 'p', group: 'dba', quorum: 2 }] });
    const once = advance(two, answer(dba), start + 1).request;
    const denied = advance(
      once,
      { type: 'answer', reviewer: person('dave', ['dba']), answer: 'deny', comment: 'not today' },
      start + 2,
    );
    expect(denied.request).toMatchObject({ state: 'denied', settledAt: start + 2 });
    expect(denied.request.approvals.at(-1)).toMatchObject({ answer: 'deny', comment: 'not today', groups: ['dba'] });
  });
});

describe('the grant', () => {
  it('lives for its own time, counted from the approval', () => {
    const approved = approvedRequest();
    expect(approved.expiresAt).toBe(start + 5 + ttl);
    expect(advance(approved, use, start + 5 + ttl - 1).request.state).toBe('used');
    expect(advance(approved, use, start + 5 + ttl)).toMatchObject({ ok: false, refusal: 'lapsed' });
  });

  it('is good for one content only', () => {
    const result = advance(approvedRequest(), { ...use, digest: 'd2' } as AccessRequestEvent, start + 6);
    expect(result).toMatchObject({ ok: false, refusal: 'digest_differs', request: { state: 'approved' } });
  });

  it('is revoked when its reviewer left the group, or is unknown', () => {
    for (const event of [useBy(['dora', ['ops']]), useBy()]) {
      expect(advance(approvedRequest(), event, start + 6)).toMatchObject({
        ok: false,
        refusal: 'consent_lost',
        request: { state: 'revoked' },
      });
    }
  });

  it('does not count a group that its reviewer joined later', () => {
    const both = request({
      consents: [
        { policy: 'p', group: 'dba', quorum: 1 },
        { policy: 'q', group: 'sec', quorum: 1 },
      ],
    });
    const one = advance(both, answer(dba), start + 1).request;
    const approved = advance(one, answer(person('sam', ['sec'])), start + 2).request;
    expect(approved.state).toBe('approved');
    const swapped = useBy(['dora', ['sec']], ['sam', ['dba']]);
    expect(advance(approved, swapped, start + 3)).toMatchObject({ ok: false, refusal: 'consent_lost' });
  });

  it('of an owner stands as long as the owner is known', () => {
    const asked = request({ consents: [{ policy: 'p', group: 'owner', quorum: 1 }] });
    const approved = advance(asked, answer(person('olga')), start + 1).request;
    expect(advance(approved, useBy(['olga', []]), start + 2).request.state).toBe('used');
    expect(advance(approved, useBy(), start + 2).request.state).toBe('revoked');
  });
});
