import type { Context } from '@sluice/core/domain/action.ts';
import type { Decision, Effect } from '@sluice/core/domain/decision.ts';

export interface PolicyTestPrincipal {
  readonly kind: 'user' | 'agent' | 'service';
  readonly id: string;
  readonly groups: readonly string[];
  /** Id of the user who answers for an agent. */
  readonly owner?: string;
}

/** What is done: a text in the target's own protocol, or one action in the words of policies. */
export type PolicyTestDeed =
  | { readonly kind: 'statement'; readonly text: string }
  | {
      readonly kind: 'action';
      readonly verb: string;
      /** As policies write them, `Table::"shop/public/customers"`; empty for the target itself. */
      readonly resources: readonly string[];
      readonly context: Context;
    };

/** What the session would know; what is absent is as in a session that says nothing, from loopback, over TLS. */
export interface PolicyTestSession {
  /** Unix milliseconds. */
  readonly at?: number;
  readonly clientAddress?: string;
  readonly secure?: boolean;
  readonly application?: string;
  readonly run?: string;
  readonly intent?: string;
  readonly labelsSeen?: readonly string[];
}

export interface PolicyTest {
  readonly name: string;
  /** Counted from 1. */
  readonly line: number;
  readonly principal: PolicyTestPrincipal;
  readonly target: string;
  readonly deed: PolicyTestDeed;
  readonly session: PolicyTestSession;
  readonly expect: Effect;
  /** When given: exactly the policies that must decide, in any order. */
  readonly policies?: readonly string[];
}

/** A parsed document, whatever it was parsed from. */
export interface PolicyTestDocument {
  /** As people name it; only shown. */
  readonly path: string;
  readonly value: unknown;
  /** The line, counted from 1, of what the steps lead to, or of the nearest thing above it. */
  lineOf(steps: readonly (string | number)[]): number;
}

export interface PolicyTestEvaluator {
  /** Rejects, with a message for people, when the deed has no meaning on the target. */
  decide(test: PolicyTest): Promise<Pick<Decision, 'effect' | 'policies' | 'reasons'>>;
}
