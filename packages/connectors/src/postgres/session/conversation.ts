/** What both directions of one session share. */
import type { ConnectorPorts } from '@sluice/core/contract/connector.ts';
import type { LabelMap } from '@sluice/core/contract/labels.ts';
import type { ClientLink, UpstreamSocket } from '@sluice/core/contract/link.ts';
import type { Permit } from '@sluice/core/contract/permit.ts';
import type { Allowed, Denied, Session } from '@sluice/core/contract/session.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import type { EndReason } from '@sluice/core/domain/session.ts';
import type { Unit } from '@sluice/core/domain/unit.ts';
import type { FreshCatalog } from '../fresh-catalog.ts';
import { problemOf } from '../login/refusal.ts';
import type { MeaningCache } from '../meaning/cache.ts';
import { type Problem, problem, readyForQuery } from '../protocol/messages.ts';
import type { ClientOutput } from './client-output.ts';
import type { NameChange } from './names.ts';
import { type Owed, OwedQueue, type OwnQuery } from './owed.ts';
import type { SessionState } from './state.ts';

/** Milliseconds that the server has for a question of the gateway's own, which the client waits for. */
const answerTime = 20_000;

export class Conversation {
  readonly ports: ConnectorPorts;
  readonly session: Session;
  readonly client: ClientLink;
  readonly upstream: UpstreamSocket;
  readonly output: ClientOutput;
  readonly state: SessionState;
  readonly catalog: FreshCatalog;
  readonly meanings: MeaningCache;
  readonly labels: LabelMap;
  readonly owed = new OwedQueue();
  /** An extended-protocol message failed: everything up to the client's next Sync is skipped, as the server does. */
  skipping = false;
  /** The client said goodbye; what is still owed is delivered. */
  terminated = false;
  /** What the client is told instead of the server's words about a COPY that was cut short here. */
  copyRefusal: Uint8Array | undefined;
  over = false;
  /** Called when a barrier is gone and the client's next message may be understood. */
  onSettled: () => void = () => {};
  /** Brings up to date what the session believes about names, then calls `onSettled`. */
  settle: () => void = () => {};

  constructor(parts: {
    ports: ConnectorPorts;
    session: Session;
    client: ClientLink;
    upstream: UpstreamSocket;
    output: ClientOutput;
    state: SessionState;
    catalog: FreshCatalog;
    meanings: MeaningCache;
  }) {
    this.ports = parts.ports;
    this.session = parts.session;
    this.client = parts.client;
    this.upstream = parts.upstream;
    this.output = parts.output;
    this.state = parts.state;
    this.catalog = parts.catalog;
    this.meanings = parts.meanings;
    this.labels = parts.ports.labels;
  }

  /** The unit goes upstream with this turn's flush, and its answer takes its place in the order. */
  forward(permit: Permit, owed: Owed | undefined): void {
    this.session.send(permit);
    if (owed) this.owed.push(owed);
  }

  /** Whether the message this was decided for is skipped, because one before it failed at the server meanwhile. */
  skips(outcome: Allowed | Denied): boolean {
    if (!this.skipping) return false;
    if (outcome.effect === 'allow') this.session.discard(outcome.permit);
    return true;
  }

  /** Sends protocol control that has no effect of its own. */
  control(name: string, bytes: Uint8Array, owed: Owed | undefined): void {
    this.forward(this.permitFor(controlUnit(name, bytes)), owed);
  }

  /** A query of the gateway's own on this session's connection; only when the server owes nothing. */
  ask(text: Uint8Array): Promise<OwnQuery> {
    return new Promise((resolve) => {
      const stopClock = this.ports.clock.after(answerTime, () => {
        const silence = 'The database does not answer the gateway.';
        this.fail(new CoreError('upstream_unreachable', 'upstream', silence), 'upstream_closed');
      });
      const done = (answer: OwnQuery): void => {
        stopClock();
        resolve(answer);
      };
      this.control('gateway', text, { kind: 'own', rows: [], error: undefined, done });
      this.session.flush();
    });
  }

  /** Answers a message that was not sent, in its place in the order. */
  refuse(answer: Problem, ready: boolean, change: NameChange | undefined): void {
    this.owed.push({ kind: 'refused', answer, ready, change });
    this.advance();
  }

  /** The gateway's error, in the place it has come to: a server in a failed transaction looks up no names. */
  wording(answer: Problem): Uint8Array {
    const moot = this.state.status === 'E' && answer.looksUp === true;
    return problem(moot ? { severity: 'ERROR', code: '25P02', message: transactionAborted } : answer);
  }

  /** Says what is owed next, as far as it does not depend on the server. */
  advance(): void {
    for (let head = this.owed.first; head?.kind === 'refused'; head = this.owed.first) {
      this.owed.shift();
      head.change?.confirm();
      this.output.write(this.wording(head.answer));
      if (head.ready) this.output.write(readyForQuery(this.state.status));
    }
  }

  /** Ends the session because of an error; the client hears of it first. */
  fail(error: unknown, reason: EndReason = 'protocol_error'): void {
    if (this.over) return;
    this.ports.log.warn({ session: this.session.info.id, err: error }, 'session failed');
    this.close(reason, problemOf(error, 'FATAL'), error instanceof Error ? error : undefined);
  }

  close(reason: EndReason, last?: Problem, error?: Error): void {
    if (this.over) return;
    this.over = true;
    if (last) {
      this.#recordEnd(last);
      this.output.write(problem({ ...last, severity: 'FATAL' }));
    }
    this.output.flush();
    this.client.end();
    this.session.end(reason, error);
    this.onSettled();
  }

  /** Where the recording itself is what failed, the client must be told all the same. */
  #recordEnd({ code, message }: Problem): void {
    try {
      this.session.record({ type: 'error', code, message, source: 'gateway' });
    } catch (error) {
      this.ports.log.warn({ session: this.session.info.id, err: error }, 'why a session ends could not be recorded');
    }
  }

  permitFor(unit: Unit): Permit {
    const outcome = this.session.judge(unit);
    if (outcome.effect !== 'allow') throw new Error(`${unit.name} has no actions and still was not allowed`);
    return outcome.permit;
  }
}

const transactionAborted = 'current transaction is aborted, commands ignored until end of transaction block';
export function controlUnit(name: string, bytes: Uint8Array): Unit {
  return { name, bytes: [bytes], actions: [], labels: [], exposures: [], parameters: [], binding: {} };
}
