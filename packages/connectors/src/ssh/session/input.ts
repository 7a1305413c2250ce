import { Buffer } from 'node:buffer';
import type { Allowed, Denial, Session } from '@sluice/core/contract/session.ts';
import type { Unit } from '@sluice/core/domain/unit.ts';
import { lastBytes } from '../transport/last-bytes.ts';
import { inputUnit } from './units.ts';

/** The end of what was sent before, so that a masked value that is cut in two is found. */
const remembered = 256;

export interface InputPlace {
  readonly session: Session;
  readonly unit: Unit;
  readonly allowed: Allowed;
  readonly typed: boolean;
  /** To the target; false: wait. */
  send(bytes: Uint8Array): boolean;
}

/** What a client sends to something that runs: judged, recorded and sent piece by piece. */
export class Input {
  readonly #place: InputPlace;
  #before: Buffer = Buffer.alloc(0);

  constructor(place: InputPlace) {
    this.#place = place;
  }

  /** Whether more may come at once, or the denial that ends it. */
  push(data: Buffer): boolean | Denial {
    const { session, unit, allowed, typed, send } = this.#place;
    const piece = inputUnit(unit, allowed.handle, data, this.#before, typed);
    const outcome = session.judge(piece);
    if (outcome.effect === 'deny') return outcome.denial;
    if (outcome.effect === 'hold') {
      // It was allowed when it began; nobody can be asked in the middle of it.
      outcome.withdraw();
      return {
        decision: 'deny',
        reason: 'Policy changed while it ran: it would now need consent.',
        policies: [],
        hint: 'Run it again to ask for consent.',
      };
    }
    this.#before = lastBytes(this.#before, data, remembered);
    return session.carryOut(outcome.permit, ({ content }) => send(content?.data ?? Buffer.alloc(0)));
  }
}
