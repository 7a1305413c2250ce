import type { AccessRequest } from '../domain/access-request.ts';

/** An access request before it has an identity of its own. */
export type AccessRequestDraft = Omit<AccessRequest, 'id' | 'state' | 'approvals' | 'createdAt' | 'settledAt'>;

/** Where access requests live. Waiting is by wake-up, never by polling. */
export interface AccessRequestBook {
  /**
   * Opens a request, or returns the one that already stands for this requester, digest and set of consents: one
   * pending, one approved and not yet used, or one denied in the same session or run.
   */
  open(draft: AccessRequestDraft): Promise<AccessRequest>;
  /** Resolves once the request is no longer pending, or when `signal` aborts (then with whatever state it has). */
  settled(id: string, signal: AbortSignalLike): Promise<AccessRequest>;
  /**
   * Turns an approved request into a used one, exactly once over all gateways. False when it was used, revoked or has
   * lapsed, when its digest differs, or when a reviewer no longer belongs to the group counted for them.
   */
  use(id: string, digest: string): Promise<boolean>;
  /** Withdraws a pending request whose client is gone. */
  cancel(id: string): Promise<void>;
}

/** The part of the platform's AbortSignal that core needs. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  addEventListener(type: 'abort', listener: () => void): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}
