import type { AccessRequest } from '../domain/access-request.ts';
import { behind, type Principal } from '../domain/principal.ts';
import type { ApprovalRefusal } from './refusal.ts';

/** The consent that an agent's own owner gives; no group of this name is ever counted for it. */
export const ownerConsent = 'owner';

export type Eligibility =
  | { readonly ok: true; readonly groups: readonly string[] }
  | { readonly ok: false; readonly refusal: ApprovalRefusal };

/**
 * Whether this principal may answer the request, and for which of its consents they could be counted. Only people
 * consent: an AI agent or a program would make the hold a formality, and someone who acts through a delegation may
 * be the very one who asks. `now` in Unix milliseconds.
 */
export function mayReview(request: AccessRequest, reviewer: Principal, now: number): Eligibility {
  if (reviewer.expiresAt <= now) return refuse('proof_expired');
  const asOwner = isOwner(request, reviewer);
  if (!asOwner && behind(reviewer).some((id) => id === request.requester.id || request.behind.includes(id))) {
    return refuse('own_request');
  }
  if (reviewer.kind !== 'user' || reviewer.owner || reviewer.chain.length > 0) return refuse('not_a_person');
  if (request.approvals.some((approval) => approval.reviewer.id === reviewer.id)) return refuse('already_answered');
  // Owners stand behind the request: where a policy names them they count as the owner, and as nothing else.
  const groups = askedGroups(request).filter((group) =>
    group === ownerConsent ? asOwner : !asOwner && reviewer.groups.includes(group),
  );
  return groups.length > 0 ? { ok: true, groups } : refuse(asOwner ? 'own_request' : 'not_a_reviewer');
}

/** Groups counted for an approval that still count, given the groups its reviewer has now; undefined for unknown. */
export function stillCounted(
  request: AccessRequest,
  reviewer: string,
  counted: readonly string[],
  groupsNow: readonly string[] | undefined,
): readonly string[] {
  if (groupsNow === undefined) return [];
  return counted.filter((group) =>
    group === ownerConsent ? request.owner?.id === reviewer : groupsNow.includes(group),
  );
}

function isOwner(request: AccessRequest, reviewer: Principal): boolean {
  return request.owner?.id === reviewer.id && request.requester.id !== reviewer.id;
}

function askedGroups(request: AccessRequest): string[] {
  return [...new Set(request.consents.map((consent) => consent.group))];
}

function refuse(refusal: ApprovalRefusal): Eligibility {
  return { ok: false, refusal };
}
