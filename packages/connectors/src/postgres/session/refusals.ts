/** Refusing a message of the client in its place: what the client is told, and what it does to an open transaction. */
import type { Denied } from '@sluice/core/contract/session.ts';
import { problemOf, problemOfDenial } from '../login/refusal.ts';
import { client } from '../protocol/codes.ts';
import { type Problem, parse, query } from '../protocol/messages.ts';
import type { Conversation } from './conversation.ts';
import type { NameChange } from './names.ts';

/** Never defined, because its text never parses; the unnamed statement would be lost by trying. */
const refusedName = 'sluice: refused';
const refusedText = '-- refused by the gateway\n)';

export class Refusals {
  readonly #c: Conversation;
  #executed = false;
  #cancelled = false;

  constructor(c: Conversation) {
    this.#c = c;
  }

  /** An Execute was sent since the last Sync: it shares an implicit transaction with what follows. */
  executed(): void {
    this.#executed = true;
  }

  synced(): void {
    this.#executed = false;
  }

  /** The next refusal is the client's own doing, or no longer so. */
  cancel(cancelled: boolean): void {
    this.#cancelled = cancelled;
  }

  /** Refuses the message of this type, in the way of its protocol. */
  refuse(type: number, error: unknown): void {
    if (type === client.query || type === client.functionCall) this.simple(error);
    else this.extended(error);
  }

  /** An error in the message's place, and nothing more until Sync. */
  extended(error: unknown, change?: NameChange): void {
    const c = this.#c;
    // While this message was being understood the server met an error before it, and skips it.
    if (c.skipping) {
      change?.undo();
      return;
    }
    const answer = this.#problemOf(error);
    c.skipping = true;
    if (this.#inTransaction()) {
      const aborted = { kind: 'abort', answer, ready: false, change, failed: false } as const;
      c.control('gateway', parse(refusedName, refusedText), aborted);
    } else {
      c.refuse(answer, false, change);
    }
  }

  /** `change`: what the message does to names all the same, unless it is skipped. */
  simple(error: unknown, change?: NameChange): void {
    const c = this.#c;
    if (c.skipping) {
      change?.undo();
      return;
    }
    const answer = this.#problemOf(error);
    if (this.#inTransaction()) {
      c.control('gateway', query(refusedText), { kind: 'abort', answer, ready: true, change, failed: false });
    } else {
      c.refuse(answer, true, change);
    }
  }

  /**
   * Whether there is, or may be by the time it is this message's turn, a transaction that an error must abort: half of
   * one is never committed. Only an error of the server's own does that, so it is given something it cannot parse.
   */
  #inTransaction(): boolean {
    const { owed, state } = this.#c;
    return this.#executed || owed.length > 0 || state.status === 'T';
  }

  #problemOf(error: unknown): Problem {
    if (this.#cancelled) {
      this.#cancelled = false;
      return { severity: 'ERROR', code: '57014', message: 'canceling statement due to user request' };
    }
    if (isDenied(error)) return problemOfDenial(error.denial, 'ERROR');
    return problemOf(error, 'ERROR');
  }
}

function isDenied(value: unknown): value is Denied {
  return typeof value === 'object' && value !== null && 'denial' in value;
}
