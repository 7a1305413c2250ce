import type { Principal } from '@sluice/core/domain/principal.ts';
import type { ClientInfo, EndReason, SessionInfo } from '@sluice/core/domain/session.ts';
import type { SessionCounts } from '@sluice/core/pipeline/ports.ts';

/** A session as the index knows it. Times in Unix milliseconds. */
export interface SessionEntry {
  readonly id: string;
  /** The gateway that serves or served it, and on whose disk the recording is. */
  readonly gateway: string;
  readonly principal: Principal;
  readonly target: string;
  readonly connector: string;
  readonly client: ClientInfo;
  readonly recordingPath: string;
  readonly startedAt: number;
  readonly endedAt?: number;
  readonly endReason?: string;
  readonly counts?: Readonly<Record<string, number>>;
  /** Not ended, as far as the index was told. */
  readonly live: boolean;
}

export interface SessionEntryFilter {
  readonly target?: string;
  /** A principal's id. */
  readonly principal?: string;
  readonly live?: boolean;
  /** At most this many, 1 to 1000. */
  readonly limit: number;
  /** Only those started before this time (Unix milliseconds). */
  readonly before?: number;
}

/** Which sessions there are and were, over all gateways. What happened in one is in its recording, not here. */
export interface SessionIndex {
  opened(session: SessionInfo, recordingPath: string): Promise<void>;
  /** Only the first end of a session counts. */
  ended(id: string, reason: EndReason, counts: SessionCounts, at: number): Promise<void>;
  /** Newest first. */
  list(filter: SessionEntryFilter): Promise<readonly SessionEntry[]>;
  get(id: string): Promise<SessionEntry | undefined>;
  /**
   * At start: marks those of this gateway that an earlier run left open as `interrupted`, and gives them, so that their
   * recordings can be closed.
   */
  interrupted(at: number): Promise<readonly SessionEntry[]>;
}
