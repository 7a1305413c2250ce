/**
 * Where permits are made, and the only place: the registry behind a permit is private to this file, so nothing else
 * can make one that `spend` accepts.
 */
import type { Permit } from '../contract/permit.ts';
import { CoreError } from '../domain/error.ts';
import type { Unit } from '../domain/unit.ts';

const live = new WeakMap<Permit, Unit>();

export function mint(session: string, number: number, unit: Unit): Permit {
  const permit: Permit = Object.freeze({ unit: number, session });
  live.set(permit, unit);
  return permit;
}

/** Takes the unit out of its permit; a second time, or in another session, throws `permit_spent`. */
export function spend(permit: Permit, session: string): Unit {
  const unit = live.get(permit);
  if (unit === undefined || permit.session !== session) {
    throw new CoreError('permit_spent', 'gateway', 'The gateway refused to send something it had not decided.');
  }
  live.delete(permit);
  return unit;
}
