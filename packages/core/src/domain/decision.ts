export type Effect = 'allow' | 'deny' | 'hold';

/** Why: the policy that spoke and what it says to people. */
export interface Reason {
  readonly policy: string;
  readonly text: string;
}

/** Who must consent before a held action may run, and under which terms. Durations in milliseconds. */
export interface Consent {
  /** The policy that asks. */
  readonly policy: string;
  /** A group's name, or `owner` for the agent's own owner. */
  readonly group: string;
  readonly quorum: number;
}

export type WaitMode = 'park' | 'resend' | 'both';

export interface Hold {
  readonly consents: readonly Consent[];
  readonly grantTtl: number;
  readonly timeout: number;
  readonly wait: WaitMode;
}

/** What must be done with an allow. */
export type Obligation =
  | { readonly kind: 'mask'; readonly labels: readonly string[] }
  | { readonly kind: 'limit_rows'; readonly rows: number }
  | { readonly kind: 'read_only' }
  | { readonly kind: 'notify'; readonly channel: string };

export type ObligationKind = Obligation['kind'];

/** A dry-run policy that would have changed the effect. */
export interface DryRun {
  readonly policy: string;
  readonly effect: Effect;
}

export interface Decision {
  readonly effect: Effect;
  /** Ids of the policies that decided; empty when nothing permits (default deny). */
  readonly policies: readonly string[];
  readonly reasons: readonly Reason[];
  /** On a deny, where there is one: what would be allowed instead, in words for whoever was refused. */
  readonly hint?: string;
  readonly obligations: readonly Obligation[];
  /** Present exactly when the effect is `hold`. */
  readonly hold?: Hold;
  readonly dryRun: readonly DryRun[];
  /** Hash of the policy set that decided. */
  readonly policyHash: string;
}
