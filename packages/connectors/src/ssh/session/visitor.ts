import type { Clock } from '@sluice/core/contract/clock.ts';
import type { HoldNotice, Session } from '@sluice/core/contract/session.ts';
import type { Connection } from 'ssh2';
import type { Pace } from './client-sink.ts';
import type { Conversation } from './conversation.ts';
import { oneLine, toldHold } from './words.ts';

/**
 * Channels of one connection at a time, refusals in one session; refusals, and requests, that are kept until there is a
 * session to write them in, or to answer them.
 */
const most = { channels: 32, refusals: 200, early: 32, waiting: 256, text: 256 };
/** A client whose session could not be opened has this long to start something that can be told why; milliseconds. */
const grace = 5_000;

interface Refused {
  readonly name: string;
  readonly text: string;
  readonly reason: string;
}

export interface VisitorParts {
  readonly connection: Connection;
  readonly pace: Pace;
  readonly clock: Clock;
  readonly terminal: boolean;
  goodbye(words: string): void;
}

/**
 * A client that has proven who it is, whose session may not be open yet, or may never be: what it asks for meanwhile
 * waits, and is told when there is nothing to wait for any more.
 */
export class Visitor {
  readonly parts: VisitorParts;
  readonly #early: Refused[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #onNotice = new Set<(text: string) => void>();
  #refusals = 0;
  #channels = 0;
  #state:
    | { readonly is: 'opening' }
    | { readonly is: 'open'; readonly conversation: Conversation }
    | { readonly is: 'failed'; readonly error: unknown } = { is: 'opening' };
  #notice: string | undefined;

  constructor(parts: VisitorParts) {
    this.parts = parts;
  }

  get conversation(): Conversation | undefined {
    return this.#state.is === 'open' ? this.#state.conversation : undefined;
  }

  /** Calls back at once or later: with the session, or with why there is none. */
  whenDecided(open: (conversation: Conversation) => void, failed: (error: unknown) => void): void {
    const state = this.#state;
    if (state.is === 'opening') {
      if (this.#waiting.length < most.waiting) this.#waiting.push(() => this.whenDecided(open, failed));
      else this.parts.goodbye('sluice: too many requests while the session is being opened');
    } else if (state.is === 'failed') failed(state.error);
    else if (!state.conversation.over) state.conversation.guard(open)(state.conversation);
  }

  /** Policy holds the connection itself: everyone who waits for it is told. */
  hold(notice: HoldNotice): void {
    this.#notice = toldHold(notice);
    for (const show of this.#onNotice) show(this.#notice);
  }

  /** Shows what the session waits for, if it does, now or later. */
  onNotice(show: (text: string) => void): () => void {
    if (this.#notice !== undefined) show(this.#notice);
    this.#onNotice.add(show);
    return () => this.#onNotice.delete(show);
  }

  open(conversation: Conversation): void {
    this.#state = { is: 'open', conversation };
    for (const { name, text, reason } of this.#early.splice(0)) this.refuse(name, text, reason);
    this.#decided();
  }

  /** What was refused before there was a session; for one that is over before it began. */
  settle(session: Session): void {
    for (const { name, text, reason } of this.#early.splice(0)) session.refuse(name, text.slice(0, most.text), reason);
  }

  fail(error: unknown): void {
    this.#state = { is: 'failed', error };
    this.parts.clock.after(grace, () => this.parts.goodbye(oneLine(error)));
    this.#decided();
  }

  /** Writes down what was refused because the gateway does not know it or does not do it. */
  refuse(name: string, text: string, reason: string): void {
    const state = this.#state;
    if (state.is === 'opening') {
      if (this.#early.length < most.early) this.#early.push({ name, text, reason });
      else this.parts.goodbye('sluice: too many requests that are not taken');
      return;
    }
    if (state.is === 'failed') return;
    state.conversation.guard(() => {
      const { session } = state.conversation;
      session.refuse(name, text.slice(0, most.text), reason);
      session.flush();
      if (++this.#refusals < most.refusals) return;
      session.refuse('ssh', '', `more than ${most.refusals} requests that are not taken`);
      state.conversation.violated('The client kept asking for what is not taken.');
    })();
  }

  /** Whether there may be one more. */
  takeChannel(): boolean {
    if (this.#channels >= most.channels) return false;
    this.#channels++;
    return true;
  }

  freeChannel(): void {
    this.#channels--;
  }

  #decided(): void {
    for (const act of this.#waiting.splice(0)) act();
    this.#onNotice.clear();
  }
}
