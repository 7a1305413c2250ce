import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import { attributeRead, entitiesIn, isNode, type Node, scopeActions, tagAsked, walk } from './ast.ts';
import { isMapType, mapEntityTypes } from './maps.ts';
import type { PolicySchema } from './schema.ts';

export interface MapUses {
  /** Maps of the context that are used as a whole: compared, put into a set, tested for membership or type. */
  readonly whole: readonly string[];
  /** Entity types of maps that the policy names. */
  readonly named: readonly string[];
}

/** What a policy does with maps beside asking for their entries; Cedar's validator knows them as entities only. */
export function mapUses(policy: PolicyJson, schema: PolicySchema): MapUses {
  const maps = mapAttributes(policy, schema);
  const types = new Set(Object.values(mapEntityTypes));
  const whole = new Set<string>();
  const named = new Set(entitiesIn(policy).flatMap(({ type }) => (types.has(type) ? [type] : [])));
  walk(policy.conditions, visit);
  return { whole: [...whole], named: [...named] };

  function visit(node: Node): boolean {
    const asked = tagAsked(node);
    if (asked) {
      walk(asked.name, visit);
      return false;
    }
    const name = attributeRead(node);
    // `context has body` alone says nothing about what is in it.
    const plain = isNode(node['has']) && typeof node['has']['attr'] === 'string';
    if (name !== undefined && maps.has(name) && !plain) whole.add(name);
    return true;
  }
}

/** Names that are maps with every verb the policy can speak of that has them. */
function mapAttributes(policy: PolicyJson, schema: PolicySchema): ReadonlySet<string> {
  const scope = scopeActions(policy);
  const verbs = [...schema.verbs.values()].filter(
    ({ verb, access }) => scope === undefined || scope.some((id) => id === verb || id === access),
  );
  const declared = verbs.flatMap((verb) => Object.entries(verb.context));
  const others = new Set(declared.flatMap(([name, type]) => (isMapType(type) ? [] : [name])));
  return new Set(declared.flatMap(([name, type]) => (isMapType(type) && !others.has(name) ? [name] : [])));
}

/**
 * Whether the policy holds something back only by the value of an entry that is there: a forbid `when` it has one, a
 * permit `unless` it has one. A body without the entry, or with a text where a number is asked for, passes it by.
 */
export function passesWhereAbsent({ effect, conditions }: PolicyJson): boolean {
  return conditions.some(({ kind, body }) => needsEntry(body, (kind === 'when') === (effect === 'forbid')));
}

/** Whether the expression, or with `positive` false its negation, can be true only where an entry has some value. */
function needsEntry(value: unknown, positive: boolean): boolean {
  if (!isNode(value)) return false;
  const [and, or, not, choice] = [value['&&'], value['||'], value['!'], value['if-then-else']];
  if (isNode(not)) return needsEntry(not['arg'], !positive);
  if (isNode(choice)) return needsEntry(choice['then'], positive) && needsEntry(choice['else'], positive);
  const both = isNode(and) ? and : isNode(or) ? or : undefined;
  if (!both) return readsEntry(value);
  const sides = [both['left'], both['right']].map((side) => needsEntry(side, positive));
  // Where both sides must hold, what either needs is needed.
  return (both === and) === positive ? sides.some(Boolean) : sides.every(Boolean);
}

function readsEntry(value: Node): boolean {
  let found = false;
  walk(value, (node) => {
    if (node['getTag'] !== undefined) found = true;
    return !found;
  });
  return found;
}
