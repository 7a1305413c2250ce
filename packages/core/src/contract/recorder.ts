import type { ActionFacts, RecordingEvent, Spent } from '../domain/recording-event.ts';
import type { EndReason, SessionInfo } from '../domain/session.ts';

/** Of an action event, what is about the one unit. */
export interface ActionAbout {
  readonly unit: number;
  readonly text: readonly string[];
  readonly parameters: readonly (string | null)[];
  readonly continues: number | undefined;
  readonly spent: Spent;
}

/** Where rows lie in an array, one behind the other: row n from `bounds[2 * n]` to `bounds[2 * n + 1]`. */
export interface RowPlaces {
  readonly bounds: Uint32Array;
  /** How many there are. */
  readonly count: number;
}

/**
 * One session's recording. `append` puts an event into the chain and into a buffer; `flush` hands everything appended
 * so far to the operating system before it returns, so that it survives the death of the process. Both throw
 * `CoreError('recording_failed')`, after which the session must end.
 */
export interface Recorder {
  /** Returns the event's number, counted from 0. */
  append(event: RecordingEvent): number;
  /**
   * An action event of these parts. `facts` must not change any more: a statement that comes again is written with what
   * was made of the same object before.
   */
  action(about: ActionAbout, facts: ActionFacts): number;
  /**
   * Rows of the current result, each in the row layout of the `rows` event, copied before the call returns; without
   * `places` all of the bytes are one.
   */
  rows(bytes: Uint8Array, places?: RowPlaces): void;
  /** Rows of one cell each, whose bytes are at these places. */
  cells(bytes: Uint8Array, places?: RowPlaces): void;
  flush(): void;
  /** True while the disk is behind: stop producing until `onReady`. */
  readonly behind: boolean;
  onReady(callback: () => void): void;
  /** Appends the end event, seals and closes. Safe to call twice; never throws. */
  close(reason: EndReason, error?: string): Promise<void>;
}

export interface RecorderFactory {
  /**
   * Creates the recording and writes its header; throws or rejects with `CoreError('recording_failed')` when it can't, or
   * when it can't be witnessed.
   */
  open(session: SessionInfo, policyHash: string): Recorder | Promise<Recorder>;
}
