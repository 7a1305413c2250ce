import type { AccessRequest } from '../domain/access-request.ts';
import type { JsonObject } from '../domain/json.ts';
import type { Principal } from '../domain/principal.ts';
import type { RunContext } from '../domain/run.ts';
import type { ClientInfo, EndReason } from '../domain/session.ts';
import type { Target } from '../domain/target.ts';
import type { AbortSignalLike } from './approvals.ts';
import type { Denial } from './session.ts';

/**
 * Something that connectors can do at their targets for a caller that speaks another protocol: a query, a command, a
 * request. Operations of one name are one operation: whoever declares it again must declare the same.
 */
export interface OperationDeclaration {
  /** Lower case: `query`, `run`, `request`, `describe`. */
  readonly name: string;
  readonly title: string;
  /** For whoever chooses among operations, often a model: what it does, what it answers, what to do when refused. */
  readonly doc: string;
  /**
   * JSON Schema (2020-12) of the arguments, an object; the target is not among them. An argument `cursor` is the text
   * that was added as `cursor` to the value of a result with `more`, and stands for the rest of it.
   */
  readonly input: JsonObject;
  /** JSON Schema of what `done` holds, an object. */
  readonly output: JsonObject;
  readonly readOnly: boolean;
}

export type OperationResult =
  /**
   * Masked, and within the limits that policy set. `more`: the session keeps the rest of it for its next call, which
   * has the argument `cursor`; any other call to the session ends it.
   */
  | { readonly outcome: 'done'; readonly value: JsonObject; readonly more?: true }
  /** Refused by policy, or waiting for consent: then to be sent again, identically. */
  | { readonly outcome: 'refused'; readonly denial: Denial }
  /** The target's own error, or arguments that mean nothing. The message may be shown. */
  | { readonly outcome: 'failed'; readonly code: string; readonly message: string };

/** Of a cursor that is over, and of one that never was the caller's: who asks is told the same. */
export const cursorGone: OperationResult = {
  outcome: 'failed',
  code: 'cursor_gone',
  message:
    'There is no such cursor of yours. Each is good once, for the caller and the run that got it, until their next call without it at the target, and for a minute. Send the statement itself again.',
};

/** One session at one target, opened for a caller that does not speak the target's protocol. */
export interface OperationSession {
  readonly session: string;
  /**
   * Decides, carries out, masks and records as for any client. Never rejects for a reason of policy or of the target;
   * rejects with `CoreError('session_over')` only when the session was over before anything of the call was begun.
   */
  call(name: string, input: JsonObject, run: RunContext | undefined, signal: AbortSignalLike): Promise<OperationResult>;
  close(): void;
  /** Resolves when the session is over, for whatever reason. */
  readonly over: Promise<EndReason>;
}

/** Who asks for operations, as its own protocol found out. */
export interface Caller {
  readonly principal: Principal;
  /** Id of the access credential that proved the principal; it must be for the target that is asked for. */
  readonly credential?: string;
  readonly client: ClientInfo;
}

export interface OfferedTarget {
  readonly target: Target;
  /** Names of operations it can be asked for. */
  readonly operations: readonly string[];
}

export interface OwnSession {
  readonly id: string;
  readonly target: string;
  /** Unix milliseconds. */
  readonly startedAt: number;
  readonly endedAt?: number;
  readonly endReason?: string;
  readonly live: boolean;
}

/** The gateway's targets for callers that do not speak their protocols. */
export interface Operations {
  /** Every operation of every connector, once per name. */
  readonly declared: readonly OperationDeclaration[];
  /** Targets that policy lets the caller connect to now, with or without consent; by name. */
  targets(caller: Caller): readonly OfferedTarget[];
  /** An unknown target, and one the caller may not connect to, are refused alike. */
  call(
    caller: Caller,
    target: string,
    name: string,
    input: JsonObject,
    run: RunContext | undefined,
    signal: AbortSignalLike,
  ): Promise<OperationResult>;
  /** The caller's own access request; undefined for anybody else's and for none. */
  request(caller: Caller, id: string): Promise<AccessRequest | undefined>;
  /** The caller's own sessions, newest first. */
  sessions(caller: Caller, limit: number): Promise<readonly OwnSession[]>;
}
