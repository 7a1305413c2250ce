import { type ApprovalRefusal, refusalText } from '@sluice/core/approvals/refusal.ts';
import { SluiceError } from '@sluice/core/domain/error.ts';

/** Beside the refusals of the state machine. */
export type AccessRequestErrorCode = ApprovalRefusal | 'not_found' | 'too_many_pending' | 'comment_too_long';

/** Why something asked of an access request was not done; its public message may be shown to whoever asked. */
export class AccessRequestError extends SluiceError<AccessRequestErrorCode> {}

export function refused(refusal: ApprovalRefusal): AccessRequestError {
  return new AccessRequestError(refusal, 'policy', refusalText(refusal));
}

export function notFound(): AccessRequestError {
  return new AccessRequestError('not_found', 'client', 'There is no such access request.');
}
