import type { AccessClass } from '../domain/action.ts';

/**
 * Types a connector may give to what policy reads; the names are Cedar's. A map is for what has names that nobody
 * declared; in a policy it is an entity with tags: `context.body.hasTag("/amount") && context.body.getTag("/amount") == "5"`.
 */
export type ContextType = 'Bool' | 'Long' | 'String' | 'Set<String>' | 'Map<String>' | 'Map<Long>';

/** One verb a connector can say. The policy schema and the reference page are generated from these. */
export interface ActionDeclaration {
  /** `<protocol>:<verb>`, lower case. */
  readonly verb: string;
  /** Absent for the gateway's own actions (`gateway:view`, `gateway:manage`), which belong to no class on purpose. */
  readonly access?: AccessClass;
  /** Resource types it can act on. */
  readonly resources: readonly string[];
  /** Attributes present in the context of every action with this verb; there are no optional ones. */
  readonly context: Readonly<Record<string, ContextType>>;
  /** One sentence for the reference page. */
  readonly doc: string;
}

export interface ResourceDeclaration {
  readonly type: string;
  /** Types its parent may have; `Target` is always known. */
  readonly parents: readonly string[];
  /**
   * For a type that lies in itself, like a folder in a folder: names of those that lie in the target directly; all others
   * lie, in the end, in the first of them (`''` for a root like `web/`). Absent where there is no such root.
   */
  readonly roots?: readonly string[];
  readonly doc: string;
}

export interface Declarations {
  readonly actions: readonly ActionDeclaration[];
  readonly resources: readonly ResourceDeclaration[];
}
