import type { Resource } from './resource.ts';

/** `connect`: open and steer a session; `admin`: schema, roles, privileges, settings; `execute`: functions, commands. */
export type AccessClass = 'connect' | 'read' | 'write' | 'admin' | 'execute';

export const accessClasses: readonly AccessClass[] = ['connect', 'read', 'write', 'admin', 'execute'];

/**
 * What policy may read about an action. Sets of strings are sorted and free of duplicates. A map has entries whose names
 * nobody declared (the members of a body, the arguments of a tool); all its values are of one type.
 */
export type ContextValue = boolean | number | string | readonly string[] | ContextMap;
export type ContextMap = ReadonlyMap<string, string> | ReadonlyMap<string, number>;
export type Context = Readonly<Record<string, ContextValue>>;

/** What a unit means, once per verb. Policy is asked for every resource of every action. */
export interface Action {
  /** Declared by the connector, e.g. `sql:select`. */
  readonly verb: string;
  readonly access: AccessClass;
  /** Never empty: what has no finer resource acts on the target. */
  readonly resources: readonly Resource[];
  /** The action in the protocol's own words, as the client wrote it. */
  readonly text: string;
  readonly context: Context;
  /**
   * An earlier action from which this one differs in its text only: its verb, access, resources and context are the very
   * same objects. It is frozen and kept, so that what does not hang on the text may be found again by it.
   */
  readonly model?: Action;
}
