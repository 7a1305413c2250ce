import type { Clock } from '@sluice/core/contract/clock.ts';
import type { ConnectorPorts } from '@sluice/core/contract/connector.ts';
import type { Allowed, Session } from '@sluice/core/contract/session.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import type { Json, JsonObject } from '@sluice/core/domain/json.ts';
import type { RunContext } from '@sluice/core/domain/run.ts';
import type { Signal } from '../../wire/http/signal.ts';
import type { OwnCredential } from '../../wire/own-credential.ts';
import {
  isObject,
  NotAMessage,
  type Notification,
  type Request,
  type RequestId,
  type RpcError,
  rpcCodes,
} from '../jsonrpc/message.ts';
import { AnswerMasker } from './answer-masker.ts';
import { Asides } from './asides.ts';
import { type Ask, readAsk, textOf } from './ask.ts';
import { Carrier } from './carrier.ts';
import type { ClientReply } from './client-reply.ts';
import { Lists } from './lists.ts';
import type { CallListener, Peer } from './peer.ts';
import { refusedError, refusedToolResult, rpcErrorOf, serverErrorCode } from './refusal.ts';
import { relayed, type Shown } from './relayed-notification.ts';
import { ShownAnswers, type Told } from './shown-answers.ts';
import { ToolBook } from './tool-book.ts';
import { type KnownTool, unitOf } from './units.ts';

export interface ConversationPorts {
  readonly session: Session;
  readonly peer: Peer;
  readonly ports: Pick<ConnectorPorts, 'clock' | 'labels' | 'limits' | 'log' | 'pins'>;
  readonly own: OwnCredential;
  /** Reads JSON of the target's, strictly. */
  parse(text: string): Json;
}

interface InFlight {
  readonly id: RequestId;
  readonly reply: ClientReply;
  readonly abort: AbortController;
}

/** Requests of one session at once. */
export const mostAtOnce = 32;
/** Longest that one call may take; milliseconds. */
export const longestCall = 3_600_000;
/** How often a sign of life goes to who waits; milliseconds. */
const beatEvery = 15_000;

/**
 * What one client and one target say to each other: each request is understood, decided and carried out. It knows neither
 * how messages come from the client nor how they get to the target, nor what of an answer may be shown.
 */
export class Conversation {
  readonly #session: Session;
  readonly #clock: Clock;
  readonly #ports: ConversationPorts;
  readonly #carrier: Carrier;
  readonly #tools: ToolBook;
  readonly #lists: Lists;
  readonly #answers: ShownAnswers;
  readonly #inFlight = new Map<string, InFlight>();
  readonly #subscribed = new Set<string>();
  readonly #dropped = new Map<string, number>();
  #over: RpcError | undefined;

  constructor(ports: ConversationPorts) {
    this.#ports = ports;
    this.#session = ports.session;
    this.#clock = ports.ports.clock;
    this.#carrier = new Carrier(ports.session, ports.peer, this.#clock);
    const { pins, log } = ports.ports;
    this.#tools = new ToolBook({ session: ports.session, carrier: this.#carrier, pins, log });
    this.#lists = new Lists({ session: ports.session, carrier: this.#carrier, tools: this.#tools });
    this.#answers = new ShownAnswers({ session: ports.session, carrier: this.#carrier, lists: this.#lists });
  }

  get busy(): boolean {
    return this.#inFlight.size > 0;
  }

  /** Answers one request; resolves when the client has the answer, or is gone. Never rejects. */
  async answer(request: Request, reply: ClientReply, run: RunContext | undefined, gone: Signal): Promise<void> {
    const key = keyOf(request.id);
    const problem = this.#inFlight.has(key)
      ? 'A request with this id is under way.'
      : this.#inFlight.size >= mostAtOnce
        ? `More than ${mostAtOnce} requests at once.`
        : undefined;
    if (problem !== undefined || this.#over) {
      if (problem !== undefined) this.#session.refuse(request.method, `id ${JSON.stringify(request.id)}`, problem);
      const error = this.#over ?? { code: rpcCodes.invalidRequest, message: problem ?? '' };
      await reply.finish({ kind: 'error', id: request.id, error });
      return;
    }
    const abort = new AbortController();
    const vanished = (): void => abort.abort();
    gone.addEventListener('abort', vanished, { once: true });
    this.#inFlight.set(key, { id: request.id, reply, abort });
    const stopBeat = this.#every(beatEvery, () => void reply.beat());
    const cancelLate = this.#clock.after(longestCall, vanished);
    try {
      const told = await this.#outcome(request, reply, run, abort.signal);
      this.#session.flush();
      await reply.finish(
        'error' in told ? { kind: 'error', id: request.id, ...told } : { kind: 'result', id: request.id, ...told },
      );
    } catch (error) {
      this.#failed(error);
    } finally {
      cancelLate();
      stopBeat();
      gone.removeEventListener('abort', vanished);
      this.#inFlight.delete(key);
    }
  }

  /** A notification of the client's; false for one that is not understood. */
  notified({ method, params }: Notification): boolean {
    switch (method) {
      case 'notifications/cancelled': {
        // MCP "Cancellation": of an unknown request, or one that is answered, it is to be ignored.
        const { requestId } = params;
        if (typeof requestId !== 'string' && typeof requestId !== 'number') return false;
        this.#inFlight.get(keyOf(requestId))?.abort.abort();
        return true;
      }
      // Nothing of the client's is shown to a target, so that nothing has to be told to it.
      case 'notifications/initialized':
      case 'notifications/roots/list_changed':
        return true;
      default:
        return false;
    }
  }

  /** What the target says that belongs to no request, as the client may be told; undefined when it may not. */
  fromTarget(notification: Notification, shown: Shown = this.#masker([])): Notification | undefined {
    if (notification.method === 'notifications/tools/list_changed') this.#tools.forget();
    if (notification.method === 'notifications/resources/updated') {
      const { uri } = notification.params;
      if (typeof uri !== 'string' || !this.#subscribed.has(uri)) {
        this.dropped('a change of a resource that nobody asked about');
        return undefined;
      }
    }
    const known = relayed(notification, shown);
    if (!known) this.dropped('a notification that is not known');
    return known;
  }

  /** The target said what it must not, or what belongs to nothing. */
  dropped(what: string): void {
    this.#dropped.set(what, (this.#dropped.get(what) ?? 0) + 1);
    // Once per kind: a target that floods fills no recording.
    if (this.#dropped.get(what) === 1) this.#session.record({ type: 'event', name: 'dropped', detail: { what } });
  }

  /** The session is over: whoever waits is told so. */
  end(message: string): void {
    this.#over = { code: serverErrorCode, message };
    for (const { id, reply, abort } of this.#inFlight.values()) {
      reply.finish({ kind: 'error', id, error: this.#over }).catch((error) => this.#failed(error));
      abort.abort();
    }
    for (const [what, count] of this.#dropped) {
      if (count > 1) this.#session.record({ type: 'event', name: 'dropped', detail: { what, count } });
    }
  }

  async #outcome(
    request: Request,
    reply: ClientReply,
    run: RunContext | undefined,
    signal: AbortSignal,
  ): Promise<Told> {
    const { method, params } = request;
    try {
      if (method === 'ping') return { result: {} };
      const ask = this.#understood(method, params);
      const { _meta: meta } = params;
      const token = isObject(meta) ? progressToken(meta['progressToken']) : undefined;
      const masker = this.#masker(rootsOf(ask));
      const asides = new Asides({
        session: this.#session,
        reply,
        shown: masker,
        signal,
        token,
        unasked: (notification, shown) => this.fromTarget(notification, shown),
        dropped: (what) => this.dropped(what),
      });
      return await this.#carriedOut(ask, run, asides, masker);
    } catch (error) {
      if (!(error instanceof CoreError)) this.#failed(error);
      return { error: this.#over ?? rpcErrorOf(error) };
    }
  }

  /** What it asks; refused and recorded where that is not known. */
  #understood(method: string, params: JsonObject): Ask {
    const refuse = (reason: string): void => {
      this.#session.refuse(method, JSON.stringify(params), reason);
    };
    try {
      const ask = readAsk(method, params);
      if (ask) {
        if ('cursor' in ask) this.#lists.check(ask.cursor);
        if (textOf(ask).length <= this.#ports.ports.limits.statementBytes) return ask;
        throw new NotAMessage('The request is larger than the limit.', undefined, rpcCodes.invalidParams);
      }
    } catch (error) {
      refuse(error instanceof CoreError ? error.publicMessage : 'It cannot be understood.');
      throw error;
    }
    refuse('The method is not known here.');
    throw new NotAMessage('Method not found.', undefined, rpcCodes.methodNotFound);
  }

  async #carriedOut(ask: Ask, run: RunContext | undefined, listener: Asides, masker: AnswerMasker): Promise<Told> {
    const tool = ask.method === 'tools/call' ? await this.#tool(ask.name, textOf(ask)) : undefined;
    const unit = this.#meaning(ask, tool, run);
    const outcome = await this.#carrier.decide(unit, listener.signal);
    if (outcome.effect === 'deny') {
      return ask.method === 'tools/call'
        ? { result: refusedToolResult(outcome.denial) }
        : { error: refusedError(outcome.denial) };
    }
    const seq = outcome.handle.seq;
    listener.belongTo(seq);
    try {
      const answer = await this.#done(ask, outcome, listener, tool);
      return await this.#answers.shown(ask, answer, seq, masker, listener.signal);
    } catch (error) {
      const { code, message } = rpcErrorOf(error);
      const source = error instanceof CoreError ? error.source : 'gateway';
      this.#answers.recordError(seq, code, message, source);
      throw error;
    }
  }

  #meaning(ask: Ask, tool: KnownTool | undefined, run: RunContext | undefined): ReturnType<typeof unitOf> {
    try {
      const { name } = this.#session.info.target;
      return unitOf(name, ask, { ...(tool ? { tool } : {}), ...(run ? { run } : {}) });
    } catch (error) {
      const reason = error instanceof CoreError ? error.publicMessage : 'It cannot be understood.';
      this.#session.refuse(ask.method, textOf(ask), reason);
      throw error;
    }
  }

  async #tool(name: string, text: string): Promise<KnownTool> {
    const tool = (await this.#tools.all()).get(name);
    if (tool) return tool;
    const reason = 'The target has no such tool, or one that is not understood.';
    this.#session.refuse('tools/call', text, reason);
    throw new NotAMessage(`Unknown tool: ${name}. ${reason}`, undefined, rpcCodes.invalidParams);
  }

  async #done(ask: Ask, outcome: Allowed, listener: CallListener, tool: KnownTool | undefined): Promise<Told> {
    if (ask.method === 'tools/list') {
      const list = this.#carrier.effect(outcome, () => this.#lists.tools(ask.cursor, listener.signal));
      return { result: await list };
    }
    const answer = await this.#carrier.call(outcome, listener, tool && (() => this.#tools.pin(tool)));
    if (answer.kind === 'error') return { error: answer.error };
    if (ask.method === 'resources/subscribe') this.#subscribed.add(ask.uri);
    if (ask.method === 'resources/unsubscribe') this.#subscribed.delete(ask.uri);
    return { result: answer.result };
  }

  #masker(roots: readonly string[]): AnswerMasker {
    const { ports, own, parse } = this.#ports;
    return new AnswerMasker({ session: this.#session, labels: ports.labels, own, parse }, roots);
  }

  #failed(err: unknown): void {
    const { id, target } = this.#session.info;
    this.#ports.ports.log.error({ session: id, target: target.name, err }, 'an MCP request failed');
  }

  #every(ms: number, act: () => void): () => void {
    let cancel = (): void => {};
    const again = (): void => {
      cancel = this.#clock.after(ms, () => {
        act();
        again();
      });
    };
    again();
    return () => cancel();
  }
}

/** A number and a text of the same digits are two ids. */
function keyOf(id: RequestId): string {
  return `${typeof id}:${id}`;
}

function progressToken(token: Json | undefined): RequestId | undefined {
  if (typeof token === 'number') return token;
  return typeof token === 'string' && token.length <= 256 ? token : undefined;
}

/** Where paths of labels begin. */
function rootsOf(ask: Ask): readonly string[] {
  if ('uri' in ask) return [ask.uri];
  if ('name' in ask) return [ask.name];
  return ask.method === 'completion/complete' ? [ask.ref.of] : [ask.method];
}
