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
  /** Id of the principal who had it ended. */
  readonly killedBy?: string;
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
  /** Only the first end of a session counts. Without `counts`, nobody can tell them any more. */
  ended(id: string, reason: EndReason, counts: SessionCounts | undefined, at: number): Promise<void>;
  /** Newest first. */
  list(filter: SessionEntryFilter): Promise<readonly SessionEntry[]>;
  get(id: string): Promise<SessionEntry | undefined>;
  /**
   * Asks the gateway that serves it to end it; false when it is over already or unknown. The wish is kept until then,
   * so that a gateway cut off from the store meets it once it is back.
   */
  kill(id: string, by: string, at: number): Promise<boolean>;
  /**
   * Calls back with each session of this gateway that is to end; with some of other gateways as well, which it doesn't
   * know. Resolves with the function that unsubscribes.
   */
  onKill(callback: (id: string) => void): Promise<() => Promise<void>>;
  /**
   * At start: marks those of this gateway that an earlier run left open as `interrupted`, and gives them, so that their
   * recordings can be closed.
   */
  interrupted(at: number): Promise<readonly SessionEntry[]>;
}
