import type { CedarValueJson, EntityJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs';
import type { Principal } from '@sluice/core/domain/principal.ts';
import type { Resource } from '@sluice/core/domain/resource.ts';
import type { Target } from '@sluice/core/domain/target.ts';
import { type PolicySchema, principalTypes } from './schema.ts';

/** A question that can't be put to the engine as it stands; it is answered with deny. */
export class UnfitQuestion extends Error {}

export function principalEntity(principal: Principal, knownGroups: ReadonlySet<string>): EntityJson {
  const attrs: Record<string, CedarValueJson> = {};
  if (principal.kind === 'agent' && principal.owner) {
    attrs['owner'] = { __entity: { type: principalTypes[principal.owner.kind], id: principal.owner.id } };
  }
  // A group that no policy names can't matter, and every entity sent costs time.
  const groups = [...new Set(principal.groups)].filter((group) => knownGroups.has(group));
  return {
    uid: { type: principalTypes[principal.kind], id: principal.id },
    attrs,
    parents: groups.map((id) => ({ type: 'Group', id })),
  };
}

/** Resources may lie in others of their own type, like a folder in a folder. */
export const maxDepth = 64;

/** Throws UnfitQuestion where the resource does not lie in the target, by the types and the ids of all that it lies in. */
export function checkPlace(resource: Resource, target: Target, schema: PolicySchema): void {
  if (resource.type === 'Label') return;
  let link = resource;
  for (let depth = 0; link.type !== 'Target'; depth++) {
    const { parent } = link;
    // A branch that doesn't end in the target would slip past every forbid that names the target.
    if (!parent) throw new UnfitQuestion(`${link.type} "${link.id}" lies in no target`);
    if (!schema.parents.get(link.type)?.has(parent.type)) {
      throw new UnfitQuestion(`a ${link.type} can't lie in a ${parent.type}`);
    }
    if (!carries(link.id, parent.id)) throw new UnfitQuestion(`"${link.id}" does not lie in "${parent.id}"`);
    if (depth === maxDepth) throw new UnfitQuestion(`"${link.id}" lies deeper than ${maxDepth} levels`);
    link = parent;
  }
  if (link.id !== target.name) throw new UnfitQuestion(`"${link.id}" is not the target of this session`);
}

/**
 * Whether the one id is the other and more: otherwise who names the one and who names the other would speak of two
 * resources. A root ends in the separator (`web/`), and what lies in it has no second one (`web/var`).
 */
function carries(id: string, parent: string): boolean {
  return id.length > parent.length && id.startsWith(parent.endsWith('/') ? parent : `${parent}/`);
}

/** The resource, everything above it, and the target: all that a policy can ask about. Call `checkPlace` first. */
export function resourceEntities(resource: Resource, target: Target): EntityJson[] {
  const own = targetEntity(target);
  if (resource.type === 'Label') return [...labelEntities(resource.id), own];
  const chain: EntityJson[] = [];
  for (let link = resource; link.type !== 'Target' && link.parent; link = link.parent) {
    chain.push({ uid: uidOf(link), attrs: {}, parents: [uidOf(link.parent)] });
  }
  return [...chain, own];
}

function targetEntity(target: Target): EntityJson {
  const tags = [...new Set(target.tags)];
  return { uid: { type: 'Target', id: target.name }, attrs: {}, parents: tags.map((id) => ({ type: 'Tag', id })) };
}

/** `pii.email` lies in `pii`. */
function labelEntities(label: string): EntityJson[] {
  const entities: EntityJson[] = [];
  let id = label;
  for (let dot = id.lastIndexOf('.'); dot > 0; dot = id.lastIndexOf('.')) {
    const parent = id.slice(0, dot);
    entities.push({ uid: { type: 'Label', id }, attrs: {}, parents: [{ type: 'Label', id: parent }] });
    id = parent;
  }
  entities.push({ uid: { type: 'Label', id }, attrs: {}, parents: [] });
  return entities;
}

export function uidOf(resource: Resource): TypeAndId {
  return { type: resource.type, id: resource.id };
}
