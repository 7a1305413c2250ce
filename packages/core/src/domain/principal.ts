/** Who acts. An `agent` is an AI agent; a `service` is a program without a model in it. */
export type PrincipalKind = 'user' | 'agent' | 'service';

export const principalKinds: readonly PrincipalKind[] = ['user', 'agent', 'service'];

/** A principal as others refer to it: enough to show and to compare, not to act. */
export interface PrincipalRef {
  readonly kind: PrincipalKind;
  /** Issuer-bound and stable: `<issuer>#<subject>`. Never an e-mail address alone. */
  readonly id: string;
}

export interface Principal extends PrincipalRef {
  readonly issuer: string;
  readonly subject: string;
  /** For people to read; never compared, never used in a decision. */
  readonly displayName: string;
  readonly groups: readonly string[];
  /** The user who answers for an agent. */
  readonly owner?: PrincipalRef;
  /** Delegation (RFC 8693 `act`), outermost actor first; empty when acting for oneself. */
  readonly chain: readonly PrincipalRef[];
  /** Unix milliseconds after which this proof of identity is void. */
  readonly expiresAt: number;
}

export function principalId(issuer: string, subject: string): string {
  return `${issuer}#${subject}`;
}

/** Every principal that stands behind an action: the actor, its owner, and the chain of delegation. */
export function behind(principal: Principal): readonly string[] {
  const ids = [principal.id, ...principal.chain.map((link) => link.id)];
  if (principal.owner) ids.push(principal.owner.id);
  return [...new Set(ids)];
}
