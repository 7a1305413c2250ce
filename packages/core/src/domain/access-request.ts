import type { Consent } from './decision.ts';
import type { PrincipalRef } from './principal.ts';
import type { RunContext } from './run.ts';

export type AccessRequestState = 'pending' | 'approved' | 'denied' | 'expired' | 'cancelled' | 'used' | 'revoked';

/** One reviewer's answer. */
export interface Approval {
  readonly reviewer: PrincipalRef;
  readonly reviewerName: string;
  readonly answer: 'approve' | 'deny';
  /** Groups of the reviewer that count towards a consent, as they were when answering. */
  readonly groups: readonly string[];
  readonly comment?: string;
  /** Unix milliseconds. */
  readonly at: number;
}

/** What an approver is shown: exactly what will run, and for whom. */
export interface RequestedAction {
  readonly verb: string;
  readonly access: string;
  readonly resources: readonly string[];
  readonly text: string;
}

/**
 * What is asked for. Bound by `digest` to one content: principal and chain, target, actions, parameters and the
 * session state that gives them meaning.
 */
export interface AccessRequest {
  readonly id: string;
  readonly state: AccessRequestState;
  readonly session: string;
  readonly requester: PrincipalRef;
  readonly requesterName: string;
  /** Ids of all principals behind the requester; none of them may review. */
  readonly behind: readonly string[];
  readonly owner?: PrincipalRef;
  readonly target: string;
  readonly unit: string;
  readonly actions: readonly RequestedAction[];
  readonly parameters: readonly (string | null)[];
  readonly binding: Readonly<Record<string, string>>;
  readonly labels: readonly string[];
  readonly run?: RunContext;
  /** Lower-case hex SHA-256 of everything an approval binds to. */
  readonly digest: string;
  readonly consents: readonly Consent[];
  readonly reasons: readonly string[];
  readonly policyHash: string;
  readonly approvals: readonly Approval[];
  /** Unix milliseconds. */
  readonly createdAt: number;
  /** While pending: when it times out. Once approved: when the grant lapses. */
  readonly expiresAt: number;
  readonly grantTtl: number;
  readonly settledAt?: number;
}
