/**
 * The life of an access request: pending, then approved, denied, expired or cancelled; approved, then used, expired
 * or revoked. Pure functions from a request, an event and the time to the next request or a typed refusal. It neither
 * stores nor waits, knows no clock, and does not decide who needs to consent: that is policy.
 */
import type { AccessRequest, AccessRequestState, Approval } from '../domain/access-request.ts';
import type { Principal } from '../domain/principal.ts';
import { consentsMet, type Vote } from './quorum.ts';
import type { ApprovalRefusal } from './refusal.ts';
import { mayReview, stillCounted } from './review.ts';

/** The groups that principals have now, by id; who is unknown or disabled has no entry. */
export type Memberships = ReadonlyMap<string, readonly string[]>;

export type AccessRequestEvent =
  | {
      readonly type: 'answer';
      readonly reviewer: Principal;
      readonly answer: Approval['answer'];
      readonly comment?: string;
    }
  /** Time has passed. */
  | { readonly type: 'lapse' }
  | { readonly type: 'cancel' }
  | { readonly type: 'use'; readonly digest: string; readonly members: Memberships }
  | { readonly type: 'revoke' };

/**
 * `request` is always the request as it stands now. Also a refused event can have moved it: one that comes too late
 * finds it expired, and a use without its consents revokes the grant, so that asking anew is possible.
 */
export type Step =
  | { readonly ok: true; readonly request: AccessRequest }
  | { readonly ok: false; readonly refusal: ApprovalRefusal; readonly request: AccessRequest };

/** `now` in Unix milliseconds. */
export function advance(request: AccessRequest, event: AccessRequestEvent, now: number): Step {
  const current = lapse(request, now);
  if (event.type === 'lapse') return current === request ? refuse(request, 'settled') : step(current);
  if (current !== request) return refuse(current, 'lapsed');
  switch (event.type) {
    case 'answer':
      return answer(request, event, now);
    case 'cancel':
      return request.state === 'pending' ? step(settle(request, 'cancelled', now)) : refuse(request, 'settled');
    case 'revoke':
      return request.state === 'approved' ? step(settle(request, 'revoked', now)) : refuse(request, 'not_approved');
    case 'use':
      return use(request, event, now);
  }
}

/** The request with the passing of time applied; the same object when nothing changed. */
export function lapse(request: AccessRequest, now: number): AccessRequest {
  const runs = request.state === 'pending' || request.state === 'approved';
  return runs && !(now < request.expiresAt) ? settle(request, 'expired', now) : request;
}

function answer(request: AccessRequest, event: AccessRequestEvent & { type: 'answer' }, now: number): Step {
  if (request.state !== 'pending') return refuse(request, 'settled');
  const eligible = mayReview(request, event.reviewer, now);
  if (!eligible.ok) return refuse(request, eligible.refusal);
  const approval: Approval = {
    reviewer: { kind: event.reviewer.kind, id: event.reviewer.id },
    reviewerName: event.reviewer.displayName,
    answer: event.answer,
    groups: eligible.groups,
    ...(event.comment ? { comment: event.comment } : {}),
    at: now,
  };
  const answered = { ...request, approvals: [...request.approvals, approval] };
  if (event.answer === 'deny') return step(settle(answered, 'denied', now));
  if (!consentsMet(answered.consents, votes(answered))) return step(answered);
  return step({ ...settle(answered, 'approved', now), expiresAt: now + request.grantTtl });
}

function use(request: AccessRequest, event: AccessRequestEvent & { type: 'use' }, now: number): Step {
  if (request.state !== 'approved') return refuse(request, 'not_approved');
  if (event.digest !== request.digest) return refuse(request, 'digest_differs');
  const counting = votes(request).map((vote) => ({
    person: vote.person,
    groups: stillCounted(request, vote.person, vote.groups, event.members.get(vote.person)),
  }));
  if (!consentsMet(request.consents, counting)) return refuse(settle(request, 'revoked', now), 'consent_lost');
  return step(settle(request, 'used', now));
}

function votes(request: AccessRequest): Vote[] {
  return request.approvals
    .filter((approval) => approval.answer === 'approve')
    .map((approval) => ({ person: approval.reviewer.id, groups: approval.groups }));
}

function settle(request: AccessRequest, state: AccessRequestState, now: number): AccessRequest {
  return { ...request, state, settledAt: now };
}

function step(request: AccessRequest): Step {
  return { ok: true, request };
}

function refuse(request: AccessRequest, refusal: ApprovalRefusal): Step {
  return { ok: false, refusal, request };
}
