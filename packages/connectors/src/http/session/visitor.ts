import type { Admission } from '@sluice/core/contract/connector.ts';
import { identify, unauthenticated } from '@sluice/core/contract/identity.ts';
import type { LabelMap } from '@sluice/core/contract/labels.ts';
import { SluiceError } from '@sluice/core/domain/error.ts';
import type { HttpRequestHead } from '../../wire/http/exchange.ts';
import { soleHeader } from '../../wire/http/headers.ts';
import { prefersAsync } from '../request/request-headers.ts';
import { runContextIn } from '../request/run-context.ts';
import type { Route } from '../route.ts';
import type { HttpTarget } from '../target-form.ts';
import { Conversation } from './conversation.ts';
import { proofIn } from './proof.ts';

export interface Grounds {
  readonly labels: LabelMap;
  target(name: string): HttpTarget | undefined;
}

/** Sessions on one connection of a client; it has no business with more at once. */
const most = 16;

/** One connection of a client, and the sessions that were opened on it: one for each proof and target. */
export class Visitor {
  readonly #grounds: Grounds;
  readonly #admission: Admission;
  readonly #conversations = new Map<string, Promise<Conversation>>();
  readonly #gone: Promise<void>;
  /** Called when the gateway ended a session, after what ran in it was broken off. */
  readonly #ended: (message: string) => void;
  #last: Conversation | undefined;
  #left: () => void = () => {};
  #over = false;

  constructor(grounds: Grounds, admission: Admission, ended: (message: string) => void) {
    this.#grounds = grounds;
    this.#admission = admission;
    this.#ended = ended;
    this.#gone = new Promise((resolve) => {
      this.#left = resolve;
    });
  }

  /** The session of the last request, while it lives. */
  get last(): Conversation | undefined {
    return this.#last?.over.aborted ? undefined : this.#last;
  }

  /** The session for a request; opened if there is none for its proof and target. Rejects with what a client may be told. */
  async conversation(exchange: HttpRequestHead, route: Route): Promise<Conversation> {
    const target = this.#grounds.target(route.target);
    const proof = proofIn(exchange.headers, target);
    if (!proof) {
      const refusal = unauthenticated(undefined, 'no proof, or more than one');
      this.#admission.refused(refusal.code, '', route.target);
      throw refusal;
    }
    const resend = prefersAsync(exchange.headers);
    const key = `${resend ? 'resend' : 'park'} ${route.target} ${proof.digest}`;
    const known = this.#conversations.get(key);
    if (known) return this.#used(await known);
    this.#makeRoom();
    const opening = this.#open(exchange, route, proof, target, resend);
    this.#conversations.set(key, opening);
    try {
      const conversation = await opening;
      conversation.over.addEventListener('abort', () => this.#conversations.delete(key));
      if (conversation.over.aborted) this.#conversations.delete(key);
      return this.#used(conversation);
    } catch (error) {
      this.#conversations.delete(key);
      if (error instanceof SluiceError) this.#admission.refused(error.code, proof.user ?? '', route.target);
      throw error;
    }
  }

  /** The client has closed the connection. */
  async leave(): Promise<void> {
    this.#over = true;
    this.#left();
    for (const opening of this.#conversations.values()) {
      // An opening that fails has told its own request.
      const conversation = await opening.catch(() => undefined);
      conversation?.end('client_closed');
    }
    this.#conversations.clear();
  }

  #used(conversation: Conversation): Conversation {
    this.#last = conversation;
    return conversation;
  }

  async #open(
    exchange: HttpRequestHead,
    { target: name }: Route,
    proof: NonNullable<ReturnType<typeof proofIn>>,
    target: HttpTarget | undefined,
    resend: boolean,
  ): Promise<Conversation> {
    const { identity } = this.#admission;
    const identified = await identify(identity, name, proof.secret, proof.user);
    const application = soleHeader(exchange.headers, 'user-agent')?.slice(0, 128);
    const run = runContextIn(exchange.headers);
    const session = await this.#admission.open({
      ...identified,
      target: name,
      ...(application === undefined ? {} : { application }),
      ...(run ? { run } : {}),
      ...(resend ? { resend } : {}),
      // Whoever waits here waits for the answer to a request; there is nothing to show before it.
      onHold: () => {},
      gone: this.#gone,
    });
    if (!target) throw new Error(`a session with "${name}" was opened, which is no target of this connector`);
    const conversation = new Conversation(session, target, this.#grounds.labels);
    session.onEnd((_reason, message) => {
      conversation.stop(message);
      this.#ended(message);
    });
    if (this.#over) conversation.end('client_closed');
    return conversation;
  }

  /** The session that was not used for longest, and does nothing now, makes room. */
  #makeRoom(): void {
    if (this.#conversations.size < most) return;
    for (const [key, opening] of this.#conversations) {
      this.#conversations.delete(key);
      void opening.then(
        (conversation) => conversation.endWhenIdle(),
        () => {
          // Its own request was told.
        },
      );
      return;
    }
  }
}
