import type { Allowed, Denied } from '@sluice/core/contract/session.ts';
import type { Unit } from '@sluice/core/domain/unit.ts';
import type { NameChange } from './names.ts';

/** What handling one message may do to the order of messages; the client's side of a session provides it. */
export interface Turn {
  /** Judges a unit; where it is held, the client is told and kept waiting. */
  decide(unit: Unit): Allowed | Denied | Promise<Allowed | Denied>;
  /** An Execute was sent: it shares an implicit transaction with what follows up to Sync. */
  executed(): void;
  /** Later messages can be understood only once the server has answered this one. */
  raiseBarrier(alreadySynced: boolean): void;
  /** Resolves once the server has answered more; undefined where waiting for it could be for ever. */
  moreAnswers(): Promise<void> | undefined;
  /** Answers a simple query with an error. `change`: what it does to names all the same, unless it is skipped. */
  refuseSimple(error: unknown, change?: NameChange): void;
  /** Answers a message of the extended protocol with an error, and skips what follows up to Sync. */
  refuseExtended(error: unknown, change?: NameChange): void;
}
