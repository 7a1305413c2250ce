/**
 * One open session: judges units by THE ORDER, writes each judgement down, hands out permits and spends them. Knows no
 * protocol and opens nothing.
 */
import type { CellMasker, TextMaskers } from '../contract/labels.ts';
import type { Permit } from '../contract/permit.ts';
import type { PolicySnapshot, SessionFacts } from '../contract/policy.ts';
import type { Recorder, RowPlaces } from '../contract/recorder.ts';
import type { Allowed, Denial, Denied, Outcome, Session } from '../contract/session.ts';
import type { UpstreamAccess } from '../contract/upstream.ts';
import type { Action } from '../domain/action.ts';
import type { Consent, Effect, Hold } from '../domain/decision.ts';
import { CoreError } from '../domain/error.ts';
import type { RecordingEvent, Spent } from '../domain/recording-event.ts';
import type { RunContext } from '../domain/run.ts';
import type { EndReason, SessionInfo } from '../domain/session.ts';
import type { Unit, UnitHandle } from '../domain/unit.ts';
import { factsOf } from './action-facts.ts';
import { bindingDigest } from './binding.ts';
import { denialOf } from './denial.ts';
import { Gate } from './gate.ts';
import { covers, type HeldUnit, holdUnit } from './hold.ts';
import { begin, type Judgement } from './judgement.ts';
import { order } from './order.ts';
import { mint, spend } from './permit.ts';
import type { PipelinePorts, SessionCounts } from './ports.ts';
import { timed } from './timed-maskers.ts';

export class PipelineSession implements Session {
  readonly info: SessionInfo;
  readonly #ports: PipelinePorts;
  readonly #recorder: Recorder;
  readonly #held = new Set<HeldUnit>();
  readonly #queue: Uint8Array[] = [];
  readonly #seen = new Set<string>();
  readonly #grants = new Map<number, { readonly consents: readonly Consent[]; readonly digest: string }>();
  readonly #resend: boolean;
  readonly #dialled = new Set<UpstreamAccess>();
  #upstream: Gate | undefined;
  #masker: CellMasker | undefined;
  #texts: TextMaskers | undefined;
  #next = 0;
  #counts = { units: 0, denied: 0, held: 0 };
  #over: EndReason | undefined;
  #onEnd: ((reason: EndReason, message: string) => void) | undefined;
  #onLeaving: ((reason: EndReason) => void) | undefined;
  #whenOver: (() => void) | undefined;
  #facts: SessionFacts | undefined;
  #labelsSeen: readonly string[] | undefined;

  constructor(ports: PipelinePorts, info: SessionInfo, recorder: Recorder, resend = false) {
    this.#ports = ports;
    this.info = info;
    this.#recorder = recorder;
    this.#resend = resend;
  }

  /** Made when first asked for: many sessions never have anything to mask. */
  get masker(): CellMasker {
    this.#masker ??= this.#ports.masker(this.info);
    return this.#masker;
  }

  get texts(): TextMaskers {
    this.#texts ??= timed(this.#ports, this.info, (label) => this.hides([label]).length > 0);
    return this.#texts;
  }

  get upstream(): UpstreamAccess {
    if (this.#upstream === undefined) throw new CoreError('session_over', 'gateway', 'The session has no target yet.');
    return this.#upstream.access;
  }

  /** Gives the session its target; called once, by the opening. */
  attach(access: UpstreamAccess): void {
    this.#upstream = new Gate(access);
  }

  established(): void {
    this.#upstream?.close();
  }

  async dial(): Promise<UpstreamAccess> {
    this.#checkOpen();
    const access = await this.#ports.dial(this.info.target);
    if (this.#over) {
      access.socket.destroy();
      this.#checkOpen();
    }
    this.#dialled.add(access);
    return access;
  }

  hides(labels: readonly string[]): readonly string[] {
    if (labels.length === 0) return labels;
    const { principal, target } = this.info;
    const facts = this.#factsOf(undefined);
    const policy = this.#ports.policy.current();
    return labels.filter((label) => !policy.reveals(principal, target, label, facts));
  }

  judge(unit: Unit): Outcome {
    const handle = { seq: this.#next++ };
    this.#counts.units++;
    if (isControl(unit)) return this.#control(handle, unit);
    const begun = this.#ports.overhead.micros();
    const judgement = this.#judgeNow(unit, this.#ports.policy.current());
    this.#continueGrant(judgement);
    this.#write(handle.seq, judgement, this.#spentOn(unit, begun));
    if (judgement.effect === 'deny') return this.#denied(handle.seq, denialOf(judgement));
    if (judgement.effect === 'hold' && judgement.hold) return this.#hold(handle.seq, judgement, judgement.hold);
    return this.#allowed(handle.seq, judgement);
  }

  prepare(unit: Unit): Allowed | Denied {
    const seq = this.#next++;
    this.#counts.units++;
    const begun = this.#ports.overhead.micros();
    const judgement = this.#judgeNow(unit, this.#ports.policy.current());
    this.#writeAction(seq, judgement, this.#spentOn(unit, begun));
    return judgement.effect === 'deny' ? this.#denied(seq, denialOf(judgement)) : this.#allowed(seq, judgement);
  }

  would(unit: Unit): Effect {
    return this.#judgeNow(unit, this.#ports.policy.current()).effect;
  }

  refuse(name: string, text: string, reason: string): UnitHandle {
    const handle = { seq: this.#next++ };
    this.#counts.units++;
    this.#counts.denied++;
    this.#recorder.append({
      type: 'action',
      unit: handle.seq,
      name,
      text: [text],
      actions: [],
      parameters: [],
      effect: 'deny',
      policies: ['sluice:unknown'],
      reasons: [{ policy: 'sluice:unknown', text: reason }],
      obligations: [],
      dryRun: [],
      policyHash: this.#ports.policy.current().hash,
      labels: [],
    });
    return handle;
  }

  send(permit: Permit): void {
    this.#checkOpen();
    for (const bytes of spend(permit, this.info.id).bytes) this.#queue.push(bytes);
  }

  carryOut<T>(permit: Permit, act: (unit: Unit) => T): T {
    this.#checkOpen();
    const unit = spend(permit, this.info.id);
    this.#flushRecording();
    return act(unit);
  }

  discard(permit: Permit): void {
    spend(permit, this.info.id);
  }

  flush(): boolean {
    if (this.#over) return true;
    if (this.#queue.length > 0) this.#flushRecording();
    else this.#recorder.flush();
    if (this.#queue.length === 0 || this.#upstream === undefined) return true;
    const bytes = this.#queue.splice(0);
    return this.#upstream.write(bytes);
  }

  record(event: RecordingEvent): void {
    if (this.#over) return;
    this.#recorder.append(event);
    if (event.type !== 'complete' || event.masking === undefined) return;
    this.#ports.overhead.spent(this.info.target.connector, 'mask', event.masking);
  }

  recordRows(bytes: Uint8Array, places?: RowPlaces): void {
    if (!this.#over) this.#recorder.rows(bytes, places);
  }

  recordCells(bytes: Uint8Array, places?: RowPlaces): void {
    if (!this.#over) this.#recorder.cells(bytes, places);
  }

  get recorderBehind(): boolean {
    return this.#recorder.behind;
  }

  onRecorderReady(callback: () => void): void {
    this.#recorder.onReady(callback);
  }

  sawLabels(labels: readonly string[]): void {
    for (const label of labels) {
      if (this.#seen.has(label)) continue;
      this.#seen.add(label);
      this.#labelsSeen = undefined;
      this.#facts = undefined;
    }
  }

  onLeaving(callback: (reason: EndReason) => void): void {
    this.#onLeaving = callback;
  }

  onEnd(callback: (reason: EndReason, message: string) => void): void {
    this.#onEnd = callback;
  }

  end(reason: EndReason, error?: Error): void {
    this.#finish(reason, error);
  }

  /** Ends the session from the gateway's side: the client is told first. */
  terminate(reason: EndReason, message: string): void {
    if (this.#over) return;
    const tell = this.#onEnd;
    this.#onEnd = undefined;
    this.#finish(reason);
    tell?.(reason, message);
  }

  whenOver(callback: () => void): void {
    this.#whenOver = callback;
  }

  get over(): boolean {
    return this.#over !== undefined;
  }

  /** Whether policy as it is now would still let this session open. */
  mayStay(connect: Unit, snapshot: PolicySnapshot): boolean {
    return this.#judgeNow(connect, snapshot).effect !== 'deny';
  }

  #flushRecording(): void {
    const { overhead } = this.#ports;
    const begun = overhead.micros();
    this.#recorder.flush();
    overhead.spent(this.info.target.connector, 'record', overhead.micros() - begun);
  }

  #checkOpen(): void {
    if (this.#over) throw new CoreError('session_over', 'gateway', 'The session is over.');
  }

  #write(seq: number, judgement: Judgement, spent: Spent): void {
    const { unit } = judgement;
    if (unit.content && unit.continues && judgement.effect === 'allow') {
      const { data, terminal } = unit.content;
      const of = unit.continues.seq;
      this.#recorder.append(
        terminal ? { type: 'terminal', unit: of, direction: 'input', data } : { type: 'input', unit: of, data },
      );
    } else if (unit.actions.length > 0) {
      this.#writeAction(seq, judgement, spent);
    }
  }

  #writeAction(unit: number, judgement: Judgement, spent: Spent): void {
    const { actions, continues, parameters } = judgement.unit;
    // What only carries out an earlier unit was said there.
    const said = continues ? { text: [], parameters: [] } : { text: textsOf(actions), parameters };
    this.#recorder.action({ unit, ...said, continues: continues?.seq, spent }, factsOf(judgement));
  }

  #spentOn({ parsing }: Unit, begun: number): Spent {
    const { overhead } = this.#ports;
    const { connector } = this.info.target;
    const decide = overhead.micros() - begun;
    overhead.spent(connector, 'decide', decide);
    if (parsing === undefined) return { decide: Math.round(decide) };
    overhead.spent(connector, 'parse', parsing);
    return { parse: Math.round(parsing), decide: Math.round(decide) };
  }

  #judgeNow(unit: Unit, snapshot: PolicySnapshot): Judgement {
    const judgement = begin(this.info, unit, snapshot, this.#factsOf(unit.run));
    for (const step of order) step.run(judgement, this.#ports);
    return judgement;
  }

  #factsOf(run: RunContext | undefined): SessionFacts {
    const now = this.#ports.clock.now();
    const known = this.#facts;
    if (known && known.run === run && known.now === now) return known;
    // As long as it says the same it is the same list, by which policy knows it again.
    this.#labelsSeen ??= [...this.#seen].sort();
    const base = { client: this.info.client, labelsSeen: this.#labelsSeen, now };
    this.#facts = run ? { ...base, run } : base;
    return this.#facts;
  }

  /** A unit that carries out what an earlier one was granted needs no second consent, as long as nothing changed. */
  #continueGrant(judgement: Judgement): void {
    const { unit, hold } = judgement;
    const grant = unit.continues && this.#grants.get(unit.continues.seq);
    if (!grant || !hold || judgement.effect !== 'hold' || !covers(grant.consents, hold.consents)) return;
    if (bindingDigest(this.#ports.digests, this.info.principal, this.info.target, unit) !== grant.digest) return;
    judgement.effect = 'allow';
    judgement.hold = undefined;
  }

  #allowed(seq: number, judgement: Judgement): Allowed {
    return {
      effect: 'allow',
      handle: { seq },
      permit: mint(this.info.id, seq, judgement.unit),
      obligations: judgement.obligations,
      masked: judgement.masked,
    };
  }

  /** Nothing in it can be judged, and nothing is written of it: it stands on the session's `connect` decision. */
  #control(handle: UnitHandle, unit: Unit): Allowed {
    const permit = mint(this.info.id, handle.seq, unit);
    return { effect: 'allow', handle, permit, obligations: [], masked: noLabels };
  }

  #denied(seq: number, denial: Denial): Denied {
    this.#counts.denied++;
    return { effect: 'deny', handle: { seq }, denial };
  }

  #hold(seq: number, judgement: Judgement, hold: Hold): Outcome {
    this.#counts.held++;
    const held: HeldUnit = holdUnit({
      ports: this.#ports,
      info: this.info,
      seq,
      judgement,
      hold: this.#resend ? { ...hold, wait: 'resend' } : hold,
      judgeAgain: (unit) => this.#judgeNow(unit, this.#ports.policy.current()),
      record: (event) => this.record(event),
      allow: (final, grant) => {
        this.#grants.set(seq, grant);
        return this.#allowed(seq, final);
      },
      deny: (denial) => this.#denied(seq, denial),
      done: () => this.#held.delete(held),
    });
    this.#held.add(held);
    return held.outcome;
  }

  /** Never throws: whatever goes wrong in it, the connections to the target are closed next. */
  #leave(reason: EndReason): Error | undefined {
    const leave = this.#onLeaving;
    this.#onLeaving = undefined;
    try {
      leave?.(reason);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  #finish(reason: EndReason, error?: Error): void {
    if (this.#over) return;
    this.#over = reason;
    this.#queue.length = 0;
    for (const held of this.#held) held.withdraw();
    const failed = this.#leave(reason);
    this.#upstream?.destroy();
    for (const { socket } of this.#dialled) socket.destroy();
    this.#whenOver?.();
    const counts: SessionCounts = { ...this.#counts };
    void this.#recorder
      .close(reason, (error ?? failed)?.message)
      .then(() => this.#ports.sessions.ended(this.info, reason, counts));
  }
}

const noLabels: ReadonlySet<string> = new Set();

/** Each once: one text may be several actions. */
function textsOf(actions: readonly Action[]): readonly string[] {
  const [first] = actions;
  return first && actions.length === 1 ? [first.text] : [...new Set(actions.map((action) => action.text))];
}

/** Has no effect of its own, and no answer that could carry anything: see `Unit.actions`. */
function isControl({ actions, labels, exposures, content }: Unit): boolean {
  return actions.length === 0 && labels.length === 0 && exposures.length === 0 && content === undefined;
}
