import type { LabelMap } from '@sluice/core/contract/labels.ts';
import type { Allowed, Denial, Denied, Session } from '@sluice/core/contract/session.ts';
import { CoreError, SluiceError } from '@sluice/core/domain/error.ts';
import type { EndReason } from '@sluice/core/domain/session.ts';
import type { Unit } from '@sluice/core/domain/unit.ts';
import type { HttpHeader } from '../../wire/http/exchange.ts';
import { HttpError } from '../../wire/http/http-error.ts';
import { Alarm, type Signal } from '../../wire/http/signal.ts';
import { createHttpUpstream, type HttpUpstream, type UpstreamResponse } from '../../wire/http/upstream.ts';
import { readRequest } from '../request/sent-request.ts';
import { type RawRequest, sha256, type Understood, understandRequest } from '../request/understand.ts';
import { UnderstoodBefore } from '../request/understood-before.ts';
import type { Place } from '../response/answer-headers.ts';
import type { LabelsAt } from '../response/body-masker.ts';
import { CredentialGuard } from '../response/credential-guard.ts';
import { type Answering, type Delivery, deliver } from '../response/deliver.ts';
import type { HttpTarget } from '../target-form.ts';
import { credentialHeaders } from './credential.ts';
import { eitherSignal } from './either-signal.ts';
import { answerDenial, answerError } from './problem.ts';
import type { Receiver } from './receiver.ts';
import { StreamedBody } from './streamed-body.ts';

/** A body that nothing is read of is held whole where consent is asked for it: approvals are for one content. */
const heldBytes = 8 * 1024 * 1024;

const codings: HttpHeader = ['accept-encoding', 'gzip, deflate, br'];

export interface Asked {
  readonly request: RawRequest;
  readonly receiver: Receiver;
  /** Aborts when whoever asks has gone. */
  readonly gone: Signal;
  /** What goes in front of the target's paths for the client. */
  readonly prefix: string;
}

/** One session with a target, and the exchanges in it: each is understood, decided, sent, and its answer masked. */
export class Conversation implements Answering {
  readonly session: Session;
  readonly target: HttpTarget;
  /** Keeps the gateway's own credential from coming back. */
  readonly guard: CredentialGuard;
  readonly #labels: LabelMap;
  readonly #upstream: HttpUpstream;
  readonly #authority: string;
  /** All that data of the target may bear. */
  readonly #all: readonly string[];
  readonly #before = new UnderstoodBefore();
  readonly #labelsBelow = new WeakMap<readonly string[], LabelsAt>();
  readonly #over = new Alarm();
  readonly #recorderWaits = new Set<() => void>();
  readonly #dropped = new Set<string>();
  /** Exchanges that have begun and not ended. */
  running = 0;
  #leaving = false;
  #own: readonly HttpHeader[] | undefined;

  constructor(session: Session, target: HttpTarget, labels: LabelMap) {
    this.session = session;
    this.target = target;
    this.#labels = labels;
    this.#all = labels.all(target.name);
    const access = session.upstream;
    this.#authority = target.host ?? access.address ?? access.socket.remote;
    this.guard = new CredentialGuard(access.credential, () =>
      session.record({ type: 'event', name: 'credential_hidden', detail: {} }),
    );
    this.#upstream = createHttpUpstream(this.#authority, access, () => session.dial());
    session.onRecorderReady(() => {
      for (const go of this.#recorderWaits) go();
      this.#recorderWaits.clear();
    });
  }

  get over(): Signal {
    return this.#over;
  }

  /** The gateway ended the session: what runs is broken off, and told why. */
  stop(message: string): void {
    this.#over.abort(new CoreError('session_over', 'gateway', message));
    this.#upstream.close();
  }

  /** Ends as soon as nothing runs in it. */
  endWhenIdle(): void {
    this.#leaving = true;
    if (this.running === 0) this.end('client_closed');
  }

  end(reason: EndReason, error?: Error): void {
    this.#over.abort(new CoreError('session_over', 'gateway', 'The session is over.'));
    this.#upstream.close();
    this.session.end(reason, error);
  }

  /** Answers, whatever happens; rejects only for what is the gateway's own failure. */
  async exchange(asked: Asked): Promise<void> {
    this.running += 1;
    const { receiver } = asked;
    try {
      await this.#exchange(asked);
    } catch (error) {
      if (error instanceof CoreError && error.code === 'recording_failed') this.end('recording_failed', error);
      if (!receiver.responded) await answerError(receiver, error);
      if (!(error instanceof SluiceError)) throw error;
    } finally {
      this.running -= 1;
      if (this.#leaving) this.endWhenIdle();
    }
  }

  async #exchange({ request, receiver, gone, prefix }: Asked): Promise<void> {
    const understood = await this.#understand(request, receiver);
    if (!understood) return;
    const { session } = this;
    const held = await this.#heldStream(understood).catch((error: unknown) => {
      if (error instanceof HttpError && error.code !== 'client_gone') this.refuse(request, error);
      throw error;
    });
    const { unit } = held;
    const outcome = held.stream ? await this.#decideUnread(unit) : await this.decide(unit, gone);
    if (outcome.effect === 'deny') {
      await answerDenial(receiver, outcome.denial);
      return;
    }
    const { seq } = outcome.handle;
    const { signal, release } = eitherSignal(gone, this.over);
    try {
      const response = await session.carryOut(outcome.permit, (decided) =>
        this.#send(decided, outcome, held.stream, signal),
      );
      await deliver(this.#delivery(understood, unit, seq, prefix, gone), response, receiver);
    } catch (error) {
      if (!receiver.responded || !gone.aborted) this.#failed(seq, error);
      throw error;
    } finally {
      release();
    }
  }

  /** Resolves with undefined when it was refused, recorded and answered. */
  async #understand(request: RawRequest, receiver: Receiver): Promise<Understood | undefined> {
    try {
      const hidden = this.labelled();
      const name = this.#before.nameOf(request, hidden, this.target.identify === 'sluice-authorization');
      const before = name === undefined ? undefined : this.#before.find(name);
      if (before) return before;
      const read = await understandRequest(this.target, this.#all, request, hidden);
      const understood = name === undefined ? read : this.#before.keep(name, read);
      this.#tellDropped(understood.dropped);
      return understood;
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      if (error.code !== 'client_gone') this.refuse(request, error);
      await answerError(receiver, error);
      return undefined;
    }
  }

  refuse({ method, path }: Pick<RawRequest, 'method' | 'path'>, error: SluiceError): void {
    this.session.refuse(method, `${method} ${path}`.slice(0, 2_048), error.publicMessage);
    this.session.flush();
  }

  /** Understands and decides a request that opens a WebSocket; undefined when it was refused and answered. */
  async open(asked: Asked): Promise<{ readonly understood: Understood; readonly outcome: Allowed } | undefined> {
    const understood = await this.#understand(asked.request, asked.receiver);
    if (!understood) return undefined;
    const outcome = await this.decide(understood.unit, asked.gone);
    if (outcome.effect === 'allow') return { understood, outcome };
    await answerDenial(asked.receiver, outcome.denial);
    return undefined;
  }

  /** Asks the target for a WebSocket by a permit; the target's own answer is the caller's. */
  async upgrade(outcome: Allowed, key: string, gone: Signal): ReturnType<HttpUpstream['upgrade']> {
    const { signal, release } = eitherSignal(gone, this.over);
    const asked = this.session.carryOut(outcome.permit, (decided) => {
      const { method, path, headers } = readRequest(decided);
      const added = [
        ...credentialHeaders(this.session.upstream),
        ['sec-websocket-key', key],
        ['sec-websocket-version', '13'],
      ];
      return this.#upstream.upgrade({
        method,
        path,
        headers: [...headers, ...added.map(([name = '', value = '']) => [name, value] as const)],
        signal,
      });
    });
    return asked.finally(release);
  }

  async decide(unit: Unit, gone: Signal): Promise<Allowed | Denied> {
    const { session } = this;
    const outcome = session.judge(unit);
    session.flush();
    if (outcome.effect !== 'hold') return outcome;
    const withdraw = (): void => outcome.withdraw();
    if (gone.aborted) withdraw();
    gone.addEventListener('abort', withdraw);
    const settled = await outcome.settled;
    gone.removeEventListener('abort', withdraw);
    session.flush();
    return settled;
  }

  /**
   * Decides a unit whose body was not read, since nothing asked for consent a moment ago. Where something does now (the
   * time, a policy that changed), nobody is asked: what they agreed to could be any body.
   */
  async #decideUnread(unit: Unit): Promise<Allowed | Denied> {
    const outcome = this.session.judge(unit);
    if (outcome.effect === 'hold') outcome.withdraw();
    this.session.flush();
    if (outcome.effect !== 'hold') return outcome;
    const settled = await outcome.settled;
    this.session.flush();
    // What is withdrawn at once is never granted; should it be, it is not used.
    if (settled.effect === 'allow') this.session.discard(settled.permit);
    return { effect: 'deny', handle: outcome.handle, denial: consentIsNew(settled) };
  }

  labelsAt(segments: readonly string[]): LabelsAt {
    let below = this.#labelsBelow.get(segments);
    if (below === undefined) {
      below = (path) => this.#labels.of(this.target.name, [...segments, ...path]);
      this.#labelsBelow.set(segments, below);
    }
    return below;
  }

  labelled(): boolean {
    return this.session.hides(this.#all).length > 0;
  }

  /** Resolves when the recording's disk has caught up. */
  async recorderReady(): Promise<void> {
    if (!this.session.recorderBehind || this.over.aborted) return;
    await new Promise<void>((resolve) => {
      this.#recorderWaits.add(resolve);
      this.over.addEventListener('abort', () => resolve(), { once: true });
    });
  }

  #delivery(understood: Understood, unit: Unit, seq: number, prefix: string, gone: Signal): Delivery {
    const place: Place = { prefix, authority: this.#authority, basePath: this.target.basePath };
    return { conversation: this, place, method: unit.name, unit, seq, segments: understood.path.segments, gone };
  }

  async #send(
    unit: Unit,
    outcome: Allowed,
    stream: AsyncIterable<Uint8Array> | undefined,
    signal: Signal,
  ): Promise<UpstreamResponse> {
    const { method, path, headers, body } = readRequest(unit);
    const sent = body ?? (stream && new StreamedBody(this.session, unit, outcome.handle, stream));
    this.#own ??= credentialHeaders(this.session.upstream);
    const all = [...headers, codings, ...this.#own];
    const asked =
      sent === undefined ? { method, path, headers: all, signal } : { method, path, headers: all, body: sent, signal };
    return this.guard.response(await this.#upstream.send(asked));
  }

  /** Where consent may be asked for it, a body that is passed on as it comes is read first, and becomes part of the unit. */
  async #heldStream({
    unit,
    stream,
  }: Understood): Promise<{ readonly unit: Unit; readonly stream?: AsyncIterable<Uint8Array> }> {
    if (!stream) return { unit };
    if (this.session.would(unit) !== 'hold') return { unit, stream };
    const pieces: Uint8Array[] = [];
    let size = 0;
    for await (const piece of stream) {
      size += piece.length;
      if (size > heldBytes) {
        throw new HttpError('body_too_large', `A body for which consent is asked has at most ${heldBytes} bytes.`);
      }
      pieces.push(piece);
    }
    const body = Buffer.concat(pieces);
    const [head] = unit.bytes;
    const actions = unit.actions.map((action) => ({
      ...action,
      text: `${action.text}\n\n[${body.length} bytes, SHA-256 ${sha256(body)}]`,
    }));
    const binding = { ...unit.binding, body: sha256(body) };
    return { unit: { ...unit, actions, binding, bytes: head ? [head, body] : [body] } };
  }

  #failed(unit: number, error: unknown): void {
    const known = error instanceof SluiceError ? error : undefined;
    const message = known?.publicMessage ?? 'The gateway failed.';
    this.session.record({
      type: 'error',
      unit,
      code: known?.code ?? 'internal',
      message,
      source: known?.source ?? 'gateway',
    });
  }

  #tellDropped(names: readonly string[]): void {
    const fresh = names.filter((name) => !this.#dropped.has(name)).slice(0, 50);
    if (fresh.length === 0 || this.#dropped.size > 500) return;
    for (const name of fresh) this.#dropped.add(name);
    this.session.record({ type: 'event', name: 'headers_dropped', detail: { names: fresh.join(' ').slice(0, 2_048) } });
  }
}

function consentIsNew(settled: Allowed | Denied): Denial {
  return {
    decision: 'deny',
    reason: 'It needs consent since a moment ago, and its body was not read for that.',
    policies: settled.effect === 'deny' ? settled.denial.policies : [],
    hint: 'Send it again: then its body is read, and people are asked.',
  };
}
