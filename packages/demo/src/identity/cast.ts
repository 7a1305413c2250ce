/** One of the people and programs that the demo is played by. */
export interface Role {
  /** The token's subject. */
  readonly subject: string;
  readonly kind: 'user' | 'agent';
  readonly groups: readonly string[];
  /** Subject of the user who answers for an agent. */
  readonly owner?: string;
}

/** The demo's principals. Policies name their groups, never them. */
export const cast = {
  agent: { subject: 'support-agent', kind: 'agent', groups: ['react-agents'], owner: 'dana' },
  engineer: { subject: 'dana', kind: 'user', groups: ['engineers'] },
  dba: { subject: 'alex', kind: 'user', groups: ['dba', 'on-call'] },
} as const satisfies Record<string, Role>;

export type RoleName = keyof typeof cast;

export const roleNames: readonly RoleName[] = ['agent', 'engineer', 'dba'];
