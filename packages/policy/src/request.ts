import type { CedarValueJson, EntityJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { ContextType } from '@sluice/core/contract/declarations.ts';
import type { Question } from '@sluice/core/contract/policy.ts';
import type { ContextValue } from '@sluice/core/domain/action.ts';
import type { VerbReads } from './cache-key.ts';
import type { EngineRequest } from './engine.ts';
import { checkPlace, principalEntity, resourceEntities, UnfitQuestion, uidOf } from './entities.ts';
import { isContextMap, isMapType, mapEntity, mapProblem, mapUid, maxSent } from './maps.ts';
import type { PolicySchema, VerbSchema } from './schema.ts';
import { sessionContext } from './session-context.ts';

/** Each resource costs an evaluation, and a statement that names this many has no business being decided at once. */
export const maxResources = 1000;

/**
 * The verb as declared, after checking that the action keeps to its declaration. Throws UnfitQuestion. Must run before
 * a kept decision is looked up: a decision is kept under what policies read, and this looks at all the rest.
 */
export function declaredVerb({ action, target, facts }: Question, schema: PolicySchema): VerbSchema {
  if (!Number.isSafeInteger(facts.now)) throw new UnfitQuestion('the time is not known');
  const verb = schema.verbs.get(action.verb);
  if (!verb) throw new UnfitQuestion(`no connector declares the verb "${action.verb}"`);
  if (verb.access !== undefined && verb.access !== action.access) {
    throw new UnfitQuestion(`"${action.verb}" is of class ${verb.access}, not ${action.access}`);
  }
  if (action.resources.length === 0) throw new UnfitQuestion(`"${action.verb}" came without a resource`);
  if (action.resources.length > maxResources) {
    throw new UnfitQuestion(`"${action.verb}" touches more than ${maxResources} resources at once`);
  }
  for (const resource of action.resources) {
    const { type } = resource;
    if (!verb.resources.has(type)) throw new UnfitQuestion(`"${action.verb}" does not act on a ${type}`);
    checkPlace(resource, target, schema);
  }
  for (const name of Object.keys(action.context)) {
    if (!Object.hasOwn(verb.context, name)) throw new UnfitQuestion(`"${action.verb}" has no context "${name}"`);
  }
  for (const name in verb.context) {
    const type = verb.context[name];
    const problem = type && problemOf(type, action.context[name]);
    if (problem !== undefined) throw new UnfitQuestion(`context "${name}" of "${action.verb}" ${problem}`);
  }
  return verb;
}

function problemOf(type: ContextType, value: ContextValue | undefined): string | undefined {
  if (isMapType(type)) return mapProblem(type, value);
  return isOf(type, value) ? undefined : `is not a ${type}`;
}

function isOf(type: ContextType, value: ContextValue | undefined): boolean {
  if (type === 'Bool') return typeof value === 'boolean';
  if (type === 'Long') return Number.isSafeInteger(value);
  if (type === 'String') return typeof value === 'string';
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

/**
 * One request per resource, in their order. Of maps only the entries that `reads` names are sent, for a policy can ask
 * for no other; all of them without `reads`. Throws UnfitQuestion.
 */
export function requestsFor(
  question: Question,
  schema: PolicySchema,
  knownGroups: ReadonlySet<string>,
  reads?: VerbReads,
): EngineRequest[] {
  const { principal, target, action, facts } = question;
  const actor = principalEntity(principal, knownGroups);
  const context: Record<string, CedarValueJson> = sessionContext(target, facts);
  const maps: EntityJson[] = [];
  const types = schema.verbs.get(action.verb)?.context ?? {};
  for (const [name, value] of Object.entries(action.context)) {
    if (!isContextMap(value)) {
      context[name] = typeof value === 'object' ? [...value] : value;
      continue;
    }
    const type = types[name];
    if (type === undefined || !isMapType(type)) throw new UnfitQuestion(`context "${name}" can't be a map`);
    context[name] = { __entity: mapUid(type, name) };
    const entries = reads ? reads.action.get(name) : 'all';
    if (entries !== undefined) maps.push(mapEntity(type, name, value, entries));
  }
  const { entries, characters } = sizeOf(maps);
  const times = action.resources.length;
  if (entries * times > maxSent.entries || characters * times > maxSent.characters) {
    throw new UnfitQuestion(`"${action.verb}" says too much about too many resources at once`);
  }
  return action.resources.map((resource) => ({
    principal: actor.uid,
    action: { type: 'Action', id: action.verb },
    resource: uidOf(resource),
    context,
    entities: [actor, ...maps, ...resourceEntities(resource, target)],
  }));
}

function sizeOf(maps: readonly EntityJson[]): { entries: number; characters: number } {
  const tags = maps.flatMap((map) => Object.entries(map.tags ?? {}));
  let characters = 0;
  for (const [name, value] of tags) characters += name.length + (typeof value === 'string' ? value.length : 0);
  return { entries: tags.length, characters };
}
