import type { Principal, PrincipalRef } from '@sluice/core/domain/principal.ts';

/** What the gateway knows of a principal from the last proof of identity it saw. */
export interface SeenPrincipal extends PrincipalRef {
  readonly displayName: string;
  readonly groups: readonly string[];
  readonly owner?: string;
  /** Unix milliseconds. */
  readonly lastSeen: number;
}

export interface DisabledPrincipal {
  readonly id: string;
  readonly at: number;
  readonly by: string;
  readonly reason: string;
}

/** Principals seen, so that membership can be asked when nobody is logged in, and those an operator has disabled. */
export interface PrincipalRows {
  /**
   * Called with fresh proofs of identity, never with one that was kept; where nothing of what is kept has changed, not
   * with each.
   */
  seen(principal: Principal): Promise<void>;
  find(id: string): Promise<SeenPrincipal | undefined>;
  /** The groups of each as last seen; who was never seen, is disabled or has a disabled owner has no entry. */
  memberships(ids: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>>;
  /** Subscribers of every gateway are told. Disabling again keeps the first entry. */
  disable(id: string, by: string, reason: string): Promise<void>;
  /** False when it was not disabled. */
  enable(id: string): Promise<boolean>;
  /** Whether any of these is disabled: for a principal, ask for everyone behind it. */
  anyDisabled(ids: readonly string[]): Promise<boolean>;
  /** Which of these are. */
  disabledAmong(ids: readonly string[]): Promise<readonly string[]>;
  listDisabled(): Promise<readonly DisabledPrincipal[]>;
  /**
   * Calls back with the id of each principal disabled anywhere, and with undefined when some may have been missed: ask
   * `disabledAmong` about those that matter. Resolves with the function that unsubscribes.
   */
  onDisabled(callback: (id: string | undefined) => void): Promise<() => Promise<void>>;
}
