/**
 * One open session over one client connection: what its channels have in common. It knows the two connections and the
 * session, ends all three together, and tells the client why. What a channel does is in the files beside it.
 */
import type { ConnectorPorts } from '@sluice/core/contract/connector.ts';
import type { Session } from '@sluice/core/contract/session.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import type { EndReason } from '@sluice/core/domain/session.ts';
import type { Client } from 'ssh2';
import { sendSignalToAll } from '../transport/wire.ts';
import type { Pace } from './client-sink.ts';
import { lines, oneLine, status, type Told, told } from './words.ts';

/** Something that runs at the target, or waits to. */
export interface Running {
  /** Gives up what waits; what runs at the target is sent its signals by the conversation. Must not throw. */
  stop(): void;
  /** Tells its client why it is over, and closes its channel. */
  tell(told: Told): void;
}

export interface ConversationParts {
  readonly ports: Pick<ConnectorPorts, 'clock' | 'log' | 'limits'>;
  readonly session: Session;
  readonly upstream: Client;
  readonly pace: Pace;
  /** Says goodbye to the client and closes its connection. */
  goodbye(words: string): void;
}

export class Conversation {
  readonly parts: ConversationParts;
  readonly #running = new Set<Running>();
  #over = false;

  constructor(parts: ConversationParts) {
    this.parts = parts;
    const { session } = parts;
    session.onLeaving((reason) => this.#stopAll(reason !== 'client_closed'));
    session.onEnd((_, message) => this.#leave({ text: lines(message), status: status.failed }, `sluice: ${message}`));
  }

  get session(): Session {
    return this.parts.session;
  }

  get target(): string {
    return this.session.info.target.name;
  }

  get over(): boolean {
    return this.#over;
  }

  add(running: Running): void {
    this.#running.add(running);
  }

  remove(running: Running): void {
    this.#running.delete(running);
  }

  /** Ends the session, for whatever reason, once; without words when the client is gone. */
  close(reason: EndReason, error?: Error): void {
    if (this.#over) return;
    if (reason === 'client_closed') {
      this.#over = true;
      this.session.end(reason);
      this.#running.clear();
      return;
    }
    this.session.end(reason, error);
    this.#leave(told(error), oneLine(error));
  }

  /** Something went wrong that nothing can go on after. */
  fail(error: unknown): void {
    if (this.#over) return;
    const cause = error instanceof Error ? error : new Error(String(error));
    this.parts.ports.log.warn({ session: this.session.info.id, err: cause }, 'session failed');
    this.close(reasonOf(cause), cause);
  }

  /** The client broke the protocol, or does what it may not. */
  violated(why: string): void {
    this.close('protocol_error', new CoreError('client_protocol', 'client', why));
  }

  /** For calls out of the library's events and out of promises: nothing they throw may get lost, or end the process. */
  guard<T extends readonly unknown[]>(act: (...args: T) => void): (...args: T) => void {
    return (...args) => {
      if (this.#over) return;
      try {
        act(...args);
      } catch (error) {
        this.fail(error);
      }
    };
  }

  #stopAll(hard: boolean): void {
    for (const running of this.#running) running.stop();
    // All there are: what was begun, and not yet answered, has no channel here that could be told.
    for (const name of hard ? ['KILL'] : ['HUP', 'TERM']) sendSignalToAll(this.parts.upstream, name);
  }

  #leave(what: Told, words: string): void {
    if (this.#over) return;
    this.#over = true;
    for (const running of [...this.#running]) running.tell(what);
    this.#running.clear();
    this.parts.goodbye(words);
  }
}

function reasonOf(error: Error): EndReason {
  if (!(error instanceof CoreError)) return 'gateway_error';
  if (error.code === 'recording_failed') return 'recording_failed';
  return error.code === 'client_protocol' ? 'protocol_error' : 'gateway_error';
}
