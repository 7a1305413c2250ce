import type { AccessRequestBook } from '../contract/approvals.ts';
import type { Clock } from '../contract/clock.ts';
import type { Digests, Ids } from '../contract/crypto.ts';
import type { CellMasker, TextMaskers } from '../contract/labels.ts';
import type { Overhead } from '../contract/overhead.ts';
import type { PolicySource } from '../contract/policy.ts';
import type { RecorderFactory } from '../contract/recorder.ts';
import type { UpstreamAccess } from '../contract/upstream.ts';
import type { ObligationKind } from '../domain/decision.ts';
import type { EndReason, SessionInfo } from '../domain/session.ts';
import type { Target } from '../domain/target.ts';

export interface SessionCounts {
  readonly units: number;
  readonly denied: number;
  readonly held: number;
}

/** Everything the pipeline needs from outside; in one process these are function calls, later they may be remote. */
export interface PipelinePorts {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly digests: Digests;
  readonly policy: PolicySource;
  readonly requests: AccessRequestBook;
  readonly recorders: RecorderFactory;
  target(name: string): Target | undefined;
  /** Fetches the upstream credential and opens the only socket towards the target. */
  dial(target: Target): Promise<UpstreamAccess>;
  /** Masks for one session: its tokens are stable within the run, or the session where there is none. */
  masker(session: SessionInfo): CellMasker;
  /** Masks of the same session for what has no columns; `hidden` says what the session's principal may not see now. */
  texts(session: SessionInfo, hidden: (label: string) => boolean): TextMaskers;
  /** True for text that holds a value one of our masks could have produced. */
  isMasked(text: string): boolean;
  /** Obligations that the connector of this id carries out. */
  discharges(connector: string): readonly ObligationKind[];
  /** Tells the world that a session exists and ended; may write to the store, must not throw. */
  readonly sessions: {
    opened(session: SessionInfo, end: (reason: EndReason, message: string) => void): void;
    ended(session: SessionInfo, reason: EndReason, counts: SessionCounts): void;
  };
  /** Where a person looks at an access request. */
  requestUrl(id: string): string;
  readonly approvals: ApprovalTerms;
  readonly overhead: Overhead;
}

/** Defaults where a policy says nothing; milliseconds. */
export interface ApprovalTerms {
  /** How long a client is kept waiting before it is told "pending" while the request stays open. */
  readonly park: number;
}
