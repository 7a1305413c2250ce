import type { Denial } from '../contract/session.ts';
import type { AccessRequest } from '../domain/access-request.ts';
import type { Judgement } from './judgement.ts';

/** The words for a judgement that refuses. */
export function denialOf(judgement: Judgement): Denial {
  return {
    decision: 'deny',
    reason: judgement.reasons.map((reason) => reason.text).join('; ') || 'No policy permits this.',
    policies: judgement.policies,
    hint:
      judgement.hint || nearest(judgement) || 'Ask for what the policies permit, or ask the operator to permit this.',
  };
}

function nearest({ unpermitted, snapshot }: Judgement): string | undefined {
  return unpermitted && snapshot.nearest(unpermitted);
}

/** The access request stays open; the client is asked to come back with the identical action. */
export function pendingDenial(request: AccessRequest, policies: readonly string[], url: string): Denial {
  const groups = groupsOf(request);
  return {
    decision: 'hold',
    reason: `It waits for consent by ${groups.join(' and ')} (access request ${request.id}).`,
    policies,
    request: request.id,
    url,
    hint: 'Send exactly the same again once it is approved.',
  };
}

/** Nobody was asked: whoever sent it gave it up first. */
export function withdrawnDenial(policies: readonly string[]): Denial {
  return {
    decision: 'deny',
    reason: 'It needs consent, and was withdrawn before anybody was asked for it.',
    policies,
    hint: 'Send it again to ask.',
  };
}

/** The access request was settled in another way than by consent. */
export function settledDenial(request: AccessRequest, policies: readonly string[], url: string): Denial {
  const words = request.approvals.find((approval) => approval.answer === 'deny');
  const comment = words?.comment ? `: ${words.comment}` : '.';
  const reasons: Readonly<Partial<Record<AccessRequest['state'], string>>> = {
    denied: `Access request ${request.id} was denied by ${words?.reviewerName ?? 'a reviewer'}${comment}`,
    expired: `Nobody answered access request ${request.id} in time.`,
    cancelled: `Access request ${request.id} was withdrawn.`,
    revoked: `The approval of access request ${request.id} was revoked.`,
  };
  return {
    decision: 'deny',
    reason: reasons[request.state] ?? `Access request ${request.id} can no longer be used.`,
    policies,
    request: request.id,
    url,
    hint:
      request.state === 'denied'
        ? 'Do not repeat it; find another way or talk to the reviewer.'
        : 'Send it again to ask anew.',
  };
}

export function groupsOf(request: Pick<AccessRequest, 'consents'>): readonly string[] {
  return [...new Set(request.consents.map((consent) => consent.group))];
}
