import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { AccessRequest, AccessRequestState } from '../domain/access-request.ts';
import type { Principal } from '../domain/principal.ts';
import { type AccessRequestEvent, advance, type Memberships } from './machine.ts';

const people = ['ann', 'bob', 'cem', 'requester', 'owner'];
const groupNames = ['dba', 'sec', 'owner'];

const principal: fc.Arbitrary<Principal> = fc
  .record({
    who: fc.constantFrom(...people),
    groups: fc.uniqueArray(fc.constantFrom(...groupNames)),
    kind: fc.constantFrom('user' as const, 'user' as const, 'user' as const, 'agent' as const, 'service' as const),
    chain: fc.constantFrom<Principal['chain']>([], [], [], [{ kind: 'user', id: 'requester' }]),
  })
  .map(({ who, groups, kind, chain }) => ({
    kind,
    id: who,
    issuer: 'i',
    subject: who,
    displayName: who,
    groups,
    chain,
    expiresAt: 10_000,
  }));

const members: fc.Arbitrary<Memberships> = fc
  .array(fc.tuple(fc.constantFrom(...people), fc.uniqueArray(fc.constantFrom('dba', 'sec'))))
  .map((entries) => new Map(entries));

const event: fc.Arbitrary<AccessRequestEvent> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      type: fc.constant('answer' as const),
      reviewer: principal,
      answer: fc.constantFrom('approve' as const, 'approve' as const, 'deny' as const),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('use' as const), digest: fc.constantFrom('d', 'd', 'e'), members }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<AccessRequestEvent>({ type: 'lapse' }, { type: 'cancel' }, { type: 'revoke' }),
  },
);

const fresh = fc
  .record({
    consents: fc.array(
      fc.record({
        policy: fc.constantFrom('p', 'q'),
        group: fc.constantFrom(...groupNames),
        quorum: fc.integer({ min: 1, max: 2 }),
      }),
      { maxLength: 3 },
    ),
  })
  .map(
    ({ consents }): AccessRequest => ({
      id: 'r',
      state: 'pending',
      session: 's',
      requester: { kind: 'agent', id: 'requester' },
      requesterName: '',
      behind: ['requester', 'owner'],
      owner: { kind: 'user', id: 'owner' },
      target: 't',
      unit: 'Query',
      actions: [],
      parameters: [],
      binding: {},
      labels: [],
      digest: 'd',
      consents,
      reasons: [],
      policyHash: '',
      approvals: [],
      createdAt: 0,
      expiresAt: 500,
      grantTtl: 300,
    }),
  );

const allowed: Record<AccessRequestState, AccessRequestState[]> = {
  pending: ['pending', 'approved', 'denied', 'expired', 'cancelled'],
  approved: ['approved', 'used', 'expired', 'revoked'],
  denied: ['denied'],
  expired: ['expired'],
  cancelled: ['cancelled'],
  used: ['used'],
  revoked: ['revoked'],
};

/** Every way of giving each consenting person one group, by brute force: an oracle that shares no code with ours. */
function someAssignmentMeets(request: AccessRequest, groupsOf: (id: string) => readonly string[]): boolean {
  const approvers = request.approvals.filter((approval) => approval.answer === 'approve');
  const need = new Map<string, number>();
  for (const { group, quorum } of request.consents) need.set(group, Math.max(need.get(group) ?? 0, quorum));
  const tryFrom = (index: number, left: Map<string, number>): boolean => {
    if ([...left.values()].every((count) => count <= 0)) return left.size > 0;
    const approver = approvers[index];
    if (!approver) return false;
    return [undefined, ...groupsOf(approver.reviewer.id)].some((group) => {
      const next = new Map(left);
      if (group !== undefined && next.has(group)) next.set(group, (next.get(group) ?? 0) - 1);
      return tryFrom(index + 1, next);
    });
  };
  return tryFrom(0, need);
}

it('holds over any sequence of events', () => {
  let usedRuns = 0;
  fc.assert(
    fc.property(fresh, fc.array(fc.tuple(event, fc.nat({ max: 120 })), { maxLength: 14 }), (first, steps) => {
      let request = first;
      let now = 1;
      let uses = 0;
      for (const [happening, pause] of steps) {
        now += pause;
        const before = request;
        const result = advance(before, happening, now);
        request = result.request;
        expect(allowed[before.state]).toContain(request.state);
        if (request.state !== 'used' || before.state === 'used') continue;
        uses += 1;
        usedRuns += 1;
        expect(happening).toMatchObject({ type: 'use', digest: 'd' });
        expect(before.state).toBe('approved');
        expect(now).toBeLessThan(before.expiresAt);
        const reviewers = request.approvals.map((approval) => approval.reviewer.id);
        expect(new Set(reviewers).size).toBe(reviewers.length);
        expect(reviewers).not.toContain('requester');
        expect(request.approvals.every((approval) => approval.reviewer.kind === 'user')).toBe(true);
        for (const { reviewer, groups, answer } of request.approvals) {
          expect(answer).toBe('approve');
          expect(groups.includes('owner')).toBe(reviewer.id === 'owner');
          if (reviewer.id === 'owner') expect(groups).toEqual(['owner']);
        }
        const current = happening.type === 'use' ? happening.members : new Map<string, readonly string[]>();
        const counted = (id: string): readonly string[] => {
          const then = request.approvals.find((approval) => approval.reviewer.id === id)?.groups ?? [];
          const today = current.get(id);
          return today ? then.filter((group) => group === 'owner' || today.includes(group)) : [];
        };
        expect(someAssignmentMeets(request, counted)).toBe(true);
      }
      expect(uses).toBeLessThanOrEqual(1);
    }),
    { numRuns: 5_000 },
  );
  // The property says something only if some of the sequences get there.
  expect(usedRuns).toBeGreaterThan(20);
});

it('approves exactly when the consents are given', () => {
  fc.assert(
    fc.property(fresh, fc.array(principal, { maxLength: 6 }), (first, reviewers) => {
      let request = first;
      for (const reviewer of reviewers) {
        request = advance(request, { type: 'answer', reviewer, answer: 'approve' }, 1).request;
      }
      const given = (id: string) => request.approvals.find((approval) => approval.reviewer.id === id)?.groups ?? [];
      expect(request.state).toBe(someAssignmentMeets(request, given) ? 'approved' : 'pending');
    }),
    { numRuns: 3_000 },
  );
});
