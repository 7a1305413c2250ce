import type { Clock } from '@sluice/core/contract/clock.ts';
import type { Allowed, Denied, Session } from '@sluice/core/contract/session.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import type { JsonObject } from '@sluice/core/domain/json.ts';
import type { Unit } from '@sluice/core/domain/unit.ts';
import type { Failure, Result } from '../jsonrpc/message.ts';
import type { CallListener, Peer } from './peer.ts';
import { ownUnit } from './units.ts';

/** How long a target has to say what the gateway itself has to know; milliseconds. */
const ownTime = 30_000;

/** The one way from a unit to the target: decided by the session, and only then carried out. */
export class Carrier {
  readonly #session: Session;
  readonly #peer: Peer;
  readonly #clock: Clock;

  constructor(session: Session, peer: Peer, clock: Clock) {
    this.#session = session;
    this.#peer = peer;
    this.#clock = clock;
  }

  /** Decides the unit; what is held is answered at once, since the session was opened to be asked again. */
  async decide(unit: Unit, signal: AbortSignal): Promise<Allowed | Denied> {
    const outcome = this.#session.judge(unit);
    if (outcome.effect !== 'hold') return outcome;
    const withdraw = (): void => outcome.withdraw();
    signal.addEventListener('abort', withdraw, { once: true });
    if (signal.aborted) withdraw();
    try {
      return await outcome.settled;
    } finally {
      signal.removeEventListener('abort', withdraw);
    }
  }

  /** Sends what was decided; `first` is done before it, and where that rejects nothing is sent. */
  call(allowed: Allowed, listener: CallListener, first?: () => Promise<void>): Promise<Result | Failure> {
    return this.#session.carryOut(allowed.permit, async (unit) => {
      await first?.();
      return this.#peer.request(bodyOf(unit), listener);
    });
  }

  /** Does something that was decided and needs nothing sent. */
  effect<T>(allowed: Allowed, act: () => T): T {
    return this.#session.carryOut(allowed.permit, act);
  }

  /** What the gateway itself has to know, on the decision that the session may be. */
  async own(method: string, params: JsonObject): Promise<Result | Failure> {
    const outcome = this.#session.judge(ownUnit(method, params));
    if (outcome.effect !== 'allow') throw new CoreError('session_over', 'gateway', 'The session is over.');
    const late = new AbortController();
    const cancel = this.#clock.after(ownTime, () => late.abort());
    try {
      return await this.call(outcome, { signal: late.signal, progress: false, onNotification: () => undefined });
    } catch (error) {
      if (!late.signal.aborted) throw error;
      throw new CoreError('upstream_unreachable', 'upstream', 'The target does not answer.', { cause: error });
    } finally {
      cancel();
    }
  }
}

function bodyOf(unit: Unit): Uint8Array {
  const [body] = unit.bytes;
  if (body === undefined) throw new CoreError('internal', 'gateway', 'The gateway met an internal error.');
  return body;
}
