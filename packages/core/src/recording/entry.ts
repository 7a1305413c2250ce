import type { Principal } from '../domain/principal.ts';
import type { RecordingEvent } from '../domain/recording-event.ts';
import type { ClientInfo, EndReason } from '../domain/session.ts';
import type { Target } from '../domain/target.ts';

/** First event: whose session this is. */
export interface HeaderEvent {
  readonly type: 'header';
  readonly version: number;
  readonly session: string;
  readonly principal: Principal;
  readonly target: Target;
  readonly client: ClientInfo;
  /** Unix milliseconds; the time offsets of all events count from here. */
  readonly startedAt: number;
  readonly policyHash: string;
}

/** What happened in the session, in numbers. */
export interface Counts {
  readonly units: number;
  readonly allowed: number;
  readonly denied: number;
  readonly held: number;
  readonly rows: number;
  readonly rowBytes: number;
  /** Of output, and of what terminals showed. */
  readonly outputBytes: number;
}

/** Last event before the seal. */
export interface EndEvent {
  readonly type: 'end';
  readonly reason: EndReason;
  readonly error?: string;
  /** Events that were produced but could not be written, because the disk refused them. */
  readonly lost: number;
  /** Absent in a recovered recording: nobody was left to count. */
  readonly counts?: Counts;
}

export interface SealEvent {
  readonly type: 'seal';
  readonly keyId: string;
  /** Events before the seal. */
  readonly events: number;
  readonly signature: Uint8Array;
}

export type AnyEvent = HeaderEvent | RecordingEvent | EndEvent | SealEvent;

/** One event as it is read back. */
export interface Entry {
  /** Counted from 0, the header. */
  readonly number: number;
  /** Microseconds since the start of the session. */
  readonly time: number;
  /** Where the event's frame begins in the file. */
  readonly offset: number;
  readonly event: AnyEvent;
}
