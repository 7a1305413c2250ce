import type { Action } from '../domain/action.ts';
import type { Decision } from '../domain/decision.ts';
import type { Principal } from '../domain/principal.ts';
import type { RunContext } from '../domain/run.ts';
import type { ClientInfo } from '../domain/session.ts';
import type { Target } from '../domain/target.ts';

/** What the session knows, beside what the connector found. */
export interface SessionFacts {
  readonly client: ClientInfo;
  readonly run?: RunContext;
  /** Labels of data this session was already given in clear. Nobody changes the list: more labels are another one. */
  readonly labelsSeen: readonly string[];
  /** Unix milliseconds. */
  readonly now: number;
}

export interface Question {
  readonly principal: Principal;
  readonly target: Target;
  readonly action: Action;
  readonly facts: SessionFacts;
}

/** One loaded policy set; immutable. A change makes a new snapshot with a higher epoch. */
export interface PolicySnapshot {
  /** Lower-case hex SHA-256 of the set. */
  readonly hash: string;
  readonly epoch: number;
  /** Judges one action over all of its resources: the strictest effect, the union of obligations. Never throws: an error is a deny. */
  decide(question: Question): Decision;
  /**
   * For a question that is denied because nothing permits it: what would be permitted instead, in words for whoever was
   * refused. Undefined when nothing is near, or when it was asked for too often. Never throws.
   */
  nearest(question: Question): string | undefined;
  /** Whether this principal may see values with this label in clear. False on any error. */
  reveals(principal: Principal, target: Target, label: string, facts: SessionFacts): boolean;
}

export interface PolicySource {
  current(): PolicySnapshot;
  /** Returns the function that unsubscribes. */
  onChange(callback: (snapshot: PolicySnapshot) => void): () => void;
}
