import type { AccessRequestBook } from '@sluice/core/contract/approvals.ts';
import type { AccessRequest, Approval } from '@sluice/core/domain/access-request.ts';
import type { Principal } from '@sluice/core/domain/principal.ts';
import type { AccessRequestFilter } from '../store/access-request-rows.ts';

/** Access requests for people: what the API shows and takes. Who may see or revoke which is decided by the caller. */
export interface AccessRequests {
  /** Newest first; none is shown as pending or approved whose time has run out. */
  list(filter: AccessRequestFilter): Promise<readonly AccessRequest[]>;
  get(id: string): Promise<AccessRequest | undefined>;
  /**
   * Rejects with an AccessRequestError: `not_found`; `settled` or `lapsed` when it comes too late; the reason when this
   * reviewer may not answer; `comment_too_long` beyond 2000 characters.
   */
  answer(id: string, reviewer: Principal, answer: Approval['answer'], comment?: string): Promise<AccessRequest>;
  /** Takes an unused grant back. Rejects with `not_found`, `not_approved` or `lapsed`. */
  revoke(id: string, by: Principal): Promise<AccessRequest>;
}

export interface AccessRequestService extends AccessRequestBook, AccessRequests {
  /** Ends every wait with the state the request has; the requests stay as they are. */
  close(): Promise<void>;
}
