import type { Effect, Obligation } from '../domain/decision.ts';
import { CoreError } from '../domain/error.ts';
import type { RecordingEvent } from '../domain/recording-event.ts';
import type { EndReason, SessionInfo } from '../domain/session.ts';
import type { Unit, UnitHandle } from '../domain/unit.ts';
import type { CellMasker, TextMaskers } from './labels.ts';
import type { Permit } from './permit.ts';
import type { RowPlaces } from './recorder.ts';
import type { UpstreamAccess } from './upstream.ts';

/** What a refused client is told, in whatever form its protocol has. Leaks nothing it may not know. */
export interface Denial {
  readonly decision: 'deny' | 'hold';
  readonly reason: string;
  readonly policies: readonly string[];
  /** The access request, when there is one to wait for or that was refused. */
  readonly request?: string;
  readonly url?: string;
  /** What to do next. */
  readonly hint: string;
}

/** A refusal where no unit could carry it: the session itself was denied. */
export class DeniedError extends CoreError {
  readonly denial: Denial;

  constructor(denial: Denial) {
    super('denied', 'policy', denial.reason);
    this.denial = denial;
  }
}

export interface Allowed {
  readonly effect: 'allow';
  readonly handle: UnitHandle;
  readonly permit: Permit;
  readonly obligations: readonly Obligation[];
  /** Labels whose values must be masked in the answer; the others of the unit may be shown. */
  readonly masked: ReadonlySet<string>;
}

export interface Denied {
  readonly effect: 'deny';
  readonly handle: UnitHandle;
  readonly denial: Denial;
}

/** Shown to a waiting client. */
export interface HoldNotice {
  readonly request: string;
  readonly url: string;
  readonly reason: string;
  readonly groups: readonly string[];
}

/** The unit waits. Reading from the client pauses; the connector keeps it alive and shows the notice. */
export interface Held {
  readonly effect: 'hold';
  readonly handle: UnitHandle;
  /** Resolves with what to show, or with undefined when a grant was already there and nothing needs showing. */
  readonly notice: Promise<HoldNotice | undefined>;
  /** Never rejects. */
  readonly settled: Promise<Allowed | Denied>;
  /** The client is gone or gave up: an approval that comes later must not run anything. */
  withdraw(): void;
}

export type Outcome = Allowed | Denied | Held;

/** An open session as its connector sees it: the only way to the target. */
export interface Session {
  readonly info: SessionInfo;
  /** For the login only: its socket refuses writes once `established` was called. Reading stays with the connector. */
  readonly upstream: UpstreamAccess;
  established(): void;
  readonly masker: CellMasker;
  readonly texts: TextMaskers;
  /**
   * Another connection to the session's target, for protocols that use several; it is closed with the session. Only for
   * connectors that carry units out by a call (`carryOut`): nothing guards what is written on it. Rejects like the
   * session's opening when the target can't be reached, and with `session_over`.
   */
  dial(): Promise<UpstreamAccess>;
  /** Those of the labels that the principal may not see by the policy of now. */
  hides(labels: readonly string[]): readonly string[];
  /** Decides one unit and writes the decision into the recording's buffer. Never throws for a reason of policy. */
  judge(unit: Unit): Outcome;
  /**
   * Decides a unit that only prepares another one and has no effect of its own (parsing a statement). What would be
   * held may be prepared: consent is asked for when it is to run, with its parameters.
   */
  prepare(unit: Unit): Allowed | Denied;
  /**
   * What would be decided about the unit now: for telling a principal what it can do. Nothing is recorded, nothing may
   * follow from it.
   */
  would(unit: Unit): Effect;
  /**
   * Writes down that something was refused before it could be judged, because it has no meaning the gateway knows.
   * `text` is what the client sent, as far as it can be shown.
   */
  refuse(name: string, text: string, reason: string): UnitHandle;
  /**
   * Spends the permit: the unit's bytes are queued and go upstream with the next `flush`. Throws `permit_spent` for a
   * permit of another session, of a session that is over, or used before.
   */
  send(permit: Permit): void;
  /**
   * Spends the permit on a call: hands the recording to the operating system, and only then runs `act` with the unit
   * that was decided. For protocols that are terminated here, where what goes upstream is made anew from the unit;
   * `act` must take what it does from the unit and from nothing else. Throws like `send` and `flush`, and then nothing
   * was done.
   */
  carryOut<T>(permit: Permit, act: (unit: Unit) => T): T;
  /** The client was refused or answered without the target; for permits that will not be sent. */
  discard(permit: Permit): void;
  record(event: RecordingEvent): void;
  /** Rows as the client sees them, see `Recorder.rows`. */
  recordRows(bytes: Uint8Array, places?: RowPlaces): void;
  /** Rows of one cell each, whose bytes are at these places. */
  recordCells(bytes: Uint8Array, places?: RowPlaces): void;
  /**
   * Hands the recording to the operating system, then writes everything queued by `send`; call once per turn of the
   * event loop. False when the target is slow: pause the client until the socket drains.
   */
  flush(): boolean;
  /** The client was given values with these labels in clear. */
  sawLabels(labels: readonly string[]): void;
  /** True while the recording's disk is behind: stop reading from the target until `onRecorderReady` calls back. */
  readonly recorderBehind: boolean;
  onRecorderReady(callback: () => void): void;
  end(reason: EndReason, error?: Error): void;
  /**
   * Called once, whatever ends the session, while its connections to the target are still there: the last moment to stop
   * what runs there. Nothing may be started in it.
   */
  onLeaving(callback: (reason: EndReason) => void): void;
  /** Killed, revoked, policy changed, gateway stopping: tell the client natively and close. Called at most once. */
  onEnd(callback: (reason: EndReason, message: string) => void): void;
}
