import type { RowPlaces } from '@sluice/core/contract/recorder.ts';
import type { Allowed, Denial, Denied, Held, Outcome, Session } from '@sluice/core/contract/session.ts';
import type { RecordedColumn, RecordingEvent } from '@sluice/core/domain/recording-event.ts';
import type { RunContext } from '@sluice/core/domain/run.ts';
import type { EndReason } from '@sluice/core/domain/session.ts';
import type { Unit } from '@sluice/core/domain/unit.ts';
import type { SqlVerb } from '../../sql/verbs.ts';

/** What is learnt about the one operation that a session is carrying out. */
export interface Findings {
  denial?: Denial;
  /** The result's columns as they were recorded, once there was a row. */
  columns?: readonly RecordedColumn[];
  /** Policy let fewer rows through than there were. */
  rowLimit?: boolean;
  /** What was judged does more than read. */
  effects?: boolean;
  /** What was judged may change what later statements of the session mean, or hold something until its end. */
  lasting?: boolean;
}

/** Verbs that leave a session as it was. Settings, locks, code that is not seen into: all others may not. */
const passing: ReadonlySet<string> = new Set([
  'sql:select',
  'sql:compute',
  'sql:explain',
  'sql:insert',
  'sql:update',
  'sql:delete',
  'sql:merge',
  'sql:sequence',
] satisfies SqlVerb[]);

/**
 * A session with somebody listening: it does what the session does, puts the caller's claims about its run on every
 * unit, and keeps what was decided in the form in which it was decided, so that nobody has to read it out of the
 * protocol's error texts. It lets nothing through that the session would not.
 */
export class WatchedSession implements Session {
  readonly #session: Session;
  readonly #ended: (reason: EndReason, error?: Error) => void;
  run: RunContext | undefined;
  findings: Findings = {};

  constructor(session: Session, ended: (reason: EndReason, error?: Error) => void) {
    this.#session = session;
    this.#ended = ended;
  }

  get info() {
    return this.#session.info;
  }

  get upstream() {
    return this.#session.upstream;
  }

  get masker() {
    return this.#session.masker;
  }

  get texts() {
    return this.#session.texts;
  }

  get recorderBehind() {
    return this.#session.recorderBehind;
  }

  judge(unit: Unit): Outcome {
    if (unit.actions.some(({ access }) => access !== 'read' && access !== 'connect')) this.findings.effects = true;
    if (unit.actions.some(({ verb }) => !passing.has(verb))) this.findings.lasting = true;
    const outcome = this.#session.judge(this.#claimed(unit));
    if (outcome.effect === 'hold') return this.#waiting(outcome);
    this.#note(outcome);
    return outcome;
  }

  prepare(unit: Unit): Allowed | Denied {
    const outcome = this.#session.prepare(this.#claimed(unit));
    this.#note(outcome);
    return outcome;
  }

  record(event: RecordingEvent): void {
    if (event.type === 'shape') this.findings.columns = event.columns;
    if (event.type === 'event' && event.name === 'row_limit') this.findings.rowLimit = true;
    this.#session.record(event);
  }

  end(reason: EndReason, error?: Error): void {
    this.#session.end(reason, error);
    this.#ended(reason, error);
  }

  onEnd(callback: (reason: EndReason, message: string) => void): void {
    this.#session.onEnd((reason, message) => {
      callback(reason, message);
      this.#ended(reason);
    });
  }

  onLeaving(callback: (reason: EndReason) => void): void {
    this.#session.onLeaving(callback);
  }

  established(): void {
    this.#session.established();
  }

  dial() {
    return this.#session.dial();
  }

  hides(labels: readonly string[]) {
    return this.#session.hides(labels);
  }

  would(unit: Unit) {
    return this.#session.would(this.#claimed(unit));
  }

  refuse(name: string, text: string, reason: string) {
    return this.#session.refuse(name, text, reason);
  }

  send(permit: Parameters<Session['send']>[0]): void {
    this.#session.send(permit);
  }

  carryOut<T>(permit: Parameters<Session['send']>[0], act: (unit: Unit) => T): T {
    return this.#session.carryOut(permit, act);
  }

  discard(permit: Parameters<Session['send']>[0]): void {
    this.#session.discard(permit);
  }

  recordRows(bytes: Uint8Array, places?: RowPlaces): void {
    this.#session.recordRows(bytes, places);
  }

  recordCells(bytes: Uint8Array, places?: RowPlaces): void {
    this.#session.recordCells(bytes, places);
  }

  flush(): boolean {
    return this.#session.flush();
  }

  sawLabels(labels: readonly string[]): void {
    this.#session.sawLabels(labels);
  }

  onRecorderReady(callback: () => void): void {
    this.#session.onRecorderReady(callback);
  }

  #waiting(held: Held): Held {
    const settled = held.settled.then((outcome) => {
      this.#note(outcome);
      return outcome;
    });
    return { ...held, settled };
  }

  #note(outcome: Outcome): void {
    if (outcome.effect === 'deny') this.findings.denial ??= outcome.denial;
  }

  /** What the caller says of this call goes before what a comment in its text says. */
  #claimed(unit: Unit): Unit {
    const { run } = this;
    if (run === undefined) return unit;
    const { renew } = unit;
    const claimed = { ...unit, run: { ...unit.run, ...run } };
    return renew ? { ...claimed, renew: async () => this.#with(run, await renew()) } : claimed;
  }

  #with(run: RunContext, unit: Unit): Unit {
    return { ...unit, run: { ...unit.run, ...run } };
  }
}
