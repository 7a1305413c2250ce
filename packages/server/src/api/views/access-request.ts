import type { AccessRequest as AccessRequestView } from '@sluice/api/schema/access-request.ts';
import { mayReview } from '@sluice/core/approvals/review.ts';
import type { AccessRequest } from '@sluice/core/domain/access-request.ts';
import type { Principal } from '@sluice/core/domain/principal.ts';
import type { RunContext } from '@sluice/core/domain/run.ts';
import { refView } from './principal.ts';
import { time } from './time.ts';

/** Nothing is shortened: whoever approves must see all of what will run. */
export function accessRequestView(request: AccessRequest, viewer: Principal, now: number): AccessRequestView {
  return {
    id: request.id,
    state: request.state,
    requester: { ...refView(request.requester), display_name: request.requesterName },
    ...(request.owner ? { owner: refView(request.owner) } : {}),
    behind: [...request.behind],
    target: request.target,
    session: request.session,
    unit: request.unit,
    actions: request.actions.map((action) => ({ ...action, resources: [...action.resources] })),
    parameters: [...request.parameters],
    binding: { ...request.binding },
    labels: [...request.labels],
    ...(request.run ? { run: runView(request.run) } : {}),
    digest: request.digest,
    consents: request.consents.map((consent) => ({ ...consent })),
    reasons: [...request.reasons],
    policy_hash: request.policyHash,
    approvals: request.approvals.map((approval) => ({
      reviewer: { ...refView(approval.reviewer), display_name: approval.reviewerName },
      answer: approval.answer,
      groups: [...approval.groups],
      ...(approval.comment === undefined ? {} : { comment: approval.comment }),
      at: time(approval.at),
    })),
    created_at: time(request.createdAt),
    expires_at: time(request.expiresAt),
    grant_ttl_ms: request.grantTtl,
    ...(request.settledAt === undefined ? {} : { settled_at: time(request.settledAt) }),
    may_review: request.state === 'pending' && request.expiresAt > now && mayReview(request, viewer, now).ok,
  };
}

function runView(run: RunContext): NonNullable<AccessRequestView['run']> {
  return {
    ...(run.run === undefined ? {} : { run: run.run }),
    ...(run.step === undefined ? {} : { step: run.step }),
    ...(run.toolCall === undefined ? {} : { tool_call: run.toolCall }),
    ...(run.intent === undefined ? {} : { intent: run.intent }),
    ...(run.traceparent === undefined ? {} : { traceparent: run.traceparent }),
  };
}
