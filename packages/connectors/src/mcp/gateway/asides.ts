import type { Session } from '@sluice/core/contract/session.ts';
import type { Notification, RequestId } from '../jsonrpc/message.ts';
import type { ClientReply } from './client-reply.ts';
import type { CallListener } from './peer.ts';
import { relayed, type Shown } from './relayed-notification.ts';

export interface AsidesPorts {
  readonly session: Session;
  readonly reply: ClientReply;
  /** Masks it as the answer is masked. */
  readonly shown: Shown;
  readonly signal: AbortSignal;
  /** Under which the client asked to hear of progress. */
  readonly token: RequestId | undefined;
  /** What belongs to no request, as the client may be told of it. */
  unasked(notification: Notification, shown: Shown): Notification | undefined;
  dropped(what: string): void;
}

/** What a target may say along with one answer. */
const most = 10_000;

/** What a target says along with an answer: it goes to whoever waits for that answer, and into the recording. */
export class Asides implements CallListener {
  readonly signal: AbortSignal;
  readonly progress: boolean;
  readonly #ports: AsidesPorts;
  #unit: number | undefined;
  #count = 0;

  constructor(ports: AsidesPorts) {
    this.#ports = ports;
    this.signal = ports.signal;
    this.progress = ports.token !== undefined;
  }

  /** The unit that was decided: nothing is said along with an answer before there is one. */
  belongTo(unit: number): void {
    this.#unit = unit;
  }

  onNotification(notification: Notification): Promise<void> | undefined {
    if (++this.#count > most) {
      this.#ports.dropped('more notifications than one answer may have');
      return undefined;
    }
    const shown = this.#shown(notification);
    return shown && this.#tell(shown);
  }

  #shown(notification: Notification): Notification | undefined {
    const { token, shown, unasked } = this.#ports;
    if (notification.method !== 'notifications/progress') return unasked(notification, shown);
    if (token === undefined) return undefined;
    const params = { ...notification.params, progressToken: token };
    return relayed({ ...notification, params }, shown);
  }

  async #tell(shown: Notification): Promise<void> {
    const { session, reply, signal } = this.#ports;
    if (this.#unit !== undefined) {
      const data = Buffer.from(`${JSON.stringify({ method: shown.method, params: shown.params })}\n`);
      session.record({ type: 'output', unit: this.#unit, stream: 'notifications', data });
    }
    session.flush();
    if (session.recorderBehind && !signal.aborted) {
      await new Promise<void>((resolve) => {
        session.onRecorderReady(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    await reply.notify(shown);
  }
}
