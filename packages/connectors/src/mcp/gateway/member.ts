import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '@sluice/core/contract/clock.ts';
import type { Identified } from '@sluice/core/contract/identity.ts';
import type { Session } from '@sluice/core/contract/session.ts';
import type { Principal } from '@sluice/core/domain/principal.ts';
import type { RunContext } from '@sluice/core/domain/run.ts';
import type { HttpExchange } from '../../wire/http/exchange.ts';
import type { Notification, Request } from '../jsonrpc/message.ts';
import { ClientReply, ClientStream } from './client-reply.ts';
import type { Conversation } from './conversation.ts';

export interface MemberPorts {
  readonly id: string;
  readonly who: Identified;
  readonly version: string;
  readonly session: Session;
  readonly conversation: Conversation;
  readonly clock: Clock;
  /** The session is over: nothing is kept of it. */
  over(): void;
}

/** A session that nobody uses, and nobody listens to, ends after this time; milliseconds. */
const idleTime = 30 * 60_000;
/** So long a client whose stream broke has to come back. */
const lingerTime = 5_000;
const beatEvery = 15_000;
/** What a target may say on its own account, in one session. */
const mostUnasked = 10_000;

/** One MCP session of a client's: whose it is, its stream, and when it ends. */
export class Member {
  readonly id: string;
  readonly version: string;
  readonly session: Session;
  readonly conversation: Conversation;
  readonly #who: Identified;
  readonly #clock: Clock;
  readonly #over: () => void;
  #stream: ClientStream | undefined;
  #listened = false;
  #unasked = 0;
  #ended = false;
  #cancelEnd: () => void = () => {};
  #cancelBeat: () => void = () => {};

  constructor({ id, who, version, session, conversation, clock, over }: MemberPorts) {
    this.id = id;
    this.#who = who;
    this.version = version;
    this.session = session;
    this.conversation = conversation;
    this.#clock = clock;
    this.#over = over;
    this.#rest();
  }

  /** A session is for whoever opened it, with the same groups and the same others behind them, by the proof it was opened with, and at one target. */
  belongsTo({ principal, credential }: Identified, target: string): boolean {
    const { name } = this.session.info.target;
    return sameBut(principal, this.#who.principal) && credential === this.#who.credential && target === name;
  }

  async answer(request: Request, exchange: HttpExchange, run: RunContext | undefined): Promise<void> {
    this.#cancelEnd();
    await this.conversation.answer(request, new ClientReply(exchange), run, exchange.gone);
    this.#rest();
  }

  /** The client listens for what belongs to no request; of several streams the last one counts. */
  listen(exchange: HttpExchange): void {
    const before = this.#stream;
    const stream = new ClientStream(exchange);
    this.#stream = stream;
    this.#listened = true;
    this.#cancelEnd();
    void before?.end();
    // The head alone would wait for a body in some clients.
    void stream.beat();
    this.#beat();
    exchange.gone.addEventListener('abort', () => {
      if (this.#stream !== stream) return;
      this.#stream = undefined;
      this.#cancelBeat();
      this.#rest();
    });
  }

  /** Something of the target's that belongs to no request. */
  tell(notification: Notification): Promise<void> | undefined {
    if (!this.#stream) {
      this.conversation.dropped('a notification while nobody listened');
      return undefined;
    }
    if (++this.#unasked > mostUnasked) {
      this.conversation.dropped('more notifications than one session may have');
      return undefined;
    }
    const detail = { notification: JSON.stringify(notification.params), method: notification.method };
    this.session.record({ type: 'event', name: 'notification', detail });
    this.session.flush();
    return this.#stream.send(notification);
  }

  /** The client is done with it, or gone. */
  leave(): void {
    if (this.#ended) return;
    this.end('The session was ended by its client.');
    this.session.end('client_closed');
  }

  /** The session is over; whoever listens is told why. */
  end(message: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelEnd();
    this.#cancelBeat();
    this.#over();
    this.conversation.end(message);
    const stream = this.#stream;
    this.#stream = undefined;
    if (!stream) return;
    const params = { level: 'alert', logger: 'sluice', data: message };
    void stream.send({ kind: 'notification', method: 'notifications/message', params }).then(() => stream.end());
  }

  /** Nothing is under way: the session ends unless something comes in time. */
  #rest(): void {
    this.#cancelEnd();
    if (this.#ended || this.#stream || this.conversation.busy) return;
    this.#cancelEnd = this.#clock.after(this.#listened ? lingerTime : idleTime, () => {
      if (!this.#stream && !this.conversation.busy) this.leave();
    });
  }

  #beat(): void {
    this.#cancelBeat();
    this.#cancelBeat = this.#clock.after(beatEvery, () => {
      void this.#stream?.beat();
      this.#beat();
    });
  }
}

/** Whether policy could tell no difference; a later token of the same is as good as the first. */
function sameBut(one: Principal, other: Principal): boolean {
  const told = ({ expiresAt: _, displayName: __, groups, ...rest }: Principal) => ({
    ...rest,
    groups: [...groups].sort(),
  });
  return isDeepStrictEqual(told(one), told(other));
}
