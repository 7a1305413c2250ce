import type { AccessRequestDraft } from '@sluice/core/contract/approvals.ts';
import type { AccessRequest, AccessRequestState } from '@sluice/core/domain/access-request.ts';

export interface AccessRequestFilter {
  readonly state?: AccessRequestState;
  readonly target?: string;
  /** A principal's id. */
  readonly requester?: string;
  /** At most this many, 1 to 1000. */
  readonly limit: number;
  /** Only those created before this time (Unix milliseconds). */
  readonly before?: number;
}

export interface AccessRequestOpening {
  readonly draft: AccessRequestDraft;
  /** Its id, should it be new. */
  readonly id: string;
  /** Unix milliseconds. */
  readonly now: number;
  /** A requester may have at most this many pending. */
  readonly maxPending: number;
  /** One denied since this time (Unix milliseconds) in the same session or run still stands. */
  readonly deniedSince: number;
  /** Called with a new request before it exists for anyone; when it throws, the request never does. */
  witness(request: AccessRequest): void;
}

export type AccessRequestOpened =
  | { readonly kind: 'created' | 'standing'; readonly request: AccessRequest }
  | { readonly kind: 'too_many' };

/** Groups that principals have now, by id; see `PrincipalRows.memberships`. */
export type Members = ReadonlyMap<string, readonly string[]>;

/** Access requests as the store keeps them. Every change is told to the subscribers of every gateway. */
export interface AccessRequestRows {
  /** One step over all gateways: finds the request that stands for the draft, or creates it. */
  open(opening: AccessRequestOpening): Promise<AccessRequestOpened>;
  get(id: string): Promise<AccessRequest | undefined>;
  /** Newest first. */
  list(filter: AccessRequestFilter): Promise<readonly AccessRequest[]>;
  /**
   * One step over all gateways: `decide` sees the request as it is, and the groups its reviewers have, and gives the
   * request as it shall be; nothing can change the request in between. When it throws, nothing is changed. Undefined
   * when there is no such request.
   */
  change<T>(
    id: string,
    decide: (request: AccessRequest, members: Members) => { readonly request: AccessRequest; readonly result: T },
  ): Promise<T | undefined>;
  /** Expires whatever is due, and gives it. */
  settleDue(now: number): Promise<readonly AccessRequest[]>;
  /** When the next one is due (Unix milliseconds); undefined when none will be. */
  nextDue(): Promise<number | undefined>;
  /** Calls back with the id of each request that changed, and with undefined when changes may have been missed. */
  onChange(callback: (id: string | undefined) => void): Promise<() => Promise<void>>;
}
