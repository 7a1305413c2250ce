/**
 * Reading Cedar's JSON form of a policy without knowing every kind of expression: whatever a newer engine adds is
 * walked through all the same, so that nothing in it goes unseen.
 */
import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';

export type Node = Readonly<Record<string, unknown>>;

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Calls `visit` for every object inside `value`, itself included; a visit that returns false is not walked below. */
export function walk(value: unknown, visit: (node: Node) => boolean): void {
  if (Array.isArray(value)) for (const each of value) walk(each, visit);
  else if (isNode(value) && visit(value)) for (const each of Object.values(value)) walk(each, visit);
}

export interface EntityName {
  readonly type: string;
  readonly id: string;
}

/** The entity that a node names, in either of Cedar's two notations. */
export function entityOf(value: unknown): EntityName | undefined {
  if (!isNode(value)) return undefined;
  const inner = isNode(value['__entity']) ? value['__entity'] : value;
  const { type, id } = inner;
  return typeof type === 'string' && typeof id === 'string' ? { type, id } : undefined;
}

/** Every entity named anywhere in the policy, annotations left out. */
export function entitiesIn(policy: PolicyJson): EntityName[] {
  const found: EntityName[] = [];
  const { annotations: _, ...rest } = policy;
  walk(rest, (node) => {
    const entity = entityOf(node);
    if (entity) found.push(entity);
    return true;
  });
  return found;
}

/** Actions and classes the scope names; undefined when it names none and so covers every action. */
export function scopeActions(policy: PolicyJson): readonly string[] | undefined {
  const { action } = policy;
  if (action.op === 'All') return undefined;
  const named = 'entities' in action ? action.entities : 'entity' in action ? [action.entity] : [];
  return named.flatMap((each) => entityOf(each)?.id ?? []);
}

/** Which entries of an attribute are read, for one that is a map; everything of it that is there otherwise. */
export type Entries = ReadonlySet<string> | 'all';

/** Attributes of the context that a policy reads; `all` when it uses the context as a whole. */
export function contextReads(policy: PolicyJson): ReadonlyMap<string, Entries> | 'all' {
  const read = new Map<string, Entries>();
  let whole = false;
  const add = (name: string, entries: Entries): void => {
    const known = read.get(name) ?? new Set();
    read.set(name, known === 'all' || entries === 'all' ? 'all' : new Set([...known, ...entries]));
  };
  walk(policy.conditions, (node) => {
    const entry = entryAsked(node);
    if (entry) {
      add(entry.attribute, new Set([entry.name]));
      return false;
    }
    const attribute = attributeRead(node);
    if (attribute !== undefined) {
      add(attribute, 'all');
      return false;
    }
    if (isContext(node)) whole = true;
    return true;
  });
  return whole ? 'all' : read;
}

/** The attribute in `context.attribute` and `context has attribute`. */
export function attributeRead(node: Node): string | undefined {
  const access = node['.'] ?? node['has'];
  if (!isNode(access) || !isContext(access['left']) || Object.keys(node).length !== 1) return undefined;
  const { attr } = access;
  const first: unknown = Array.isArray(attr) ? attr[0] : attr;
  return typeof first === 'string' ? first : undefined;
}

/** The map and what is asked of it in `context.map.hasTag(…)` and `context.map.getTag(…)`. */
export function tagAsked(node: Node): { attribute: string; name: unknown } | undefined {
  const asked = node['hasTag'] ?? node['getTag'];
  if (!isNode(asked) || !isNode(asked['left']) || Object.keys(node).length !== 1) return undefined;
  if (asked['left']['.'] === undefined) return undefined;
  const attribute = attributeRead(asked['left']);
  return attribute === undefined ? undefined : { attribute, name: asked['right'] };
}

/** The same where the name is written out, so that no other entry matters. */
function entryAsked(node: Node): { attribute: string; name: string } | undefined {
  const asked = tagAsked(node);
  const name = isNode(asked?.name) && Object.keys(asked.name).length === 1 ? asked.name['Value'] : undefined;
  return asked && typeof name === 'string' ? { attribute: asked.attribute, name } : undefined;
}

function isContext(value: unknown): boolean {
  return isNode(value) && value['Var'] === 'context';
}
