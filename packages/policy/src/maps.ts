/**
 * Maps in the context: what has names that nobody declared, such as the members of a body. Cedar's records have fixed
 * members, so a map is put to it as an entity with tags, which a policy asks by `hasTag` and `getTag`. This file says
 * what such an entity looks like and how large a map may be; which entries policies read is found in ast.ts.
 */
import type { CedarValueJson, EntityJson, TypeAndId } from '@cedar-policy/cedar-wasm/nodejs';
import type { ContextType } from '@sluice/core/contract/declarations.ts';
import type { ContextMap, ContextValue } from '@sluice/core/domain/action.ts';

export type MapType = Extract<ContextType, `Map<${string}>`>;

/** Entity types that stand for maps; no connector can declare them, and no policy can name one of their entities. */
export const mapEntityTypes: Readonly<Record<MapType, string>> = { 'Map<String>': 'Texts', 'Map<Long>': 'Numbers' };

export function isMapType(type: ContextType): type is MapType {
  return type in mapEntityTypes;
}

export const mapBounds = { entries: 10_000, nameCharacters: 1024, valueCharacters: 65_536, characters: 1_048_576 };

/** Beyond this, over all maps and resources of an action, a question costs more time than any answer is worth. */
export const maxSent = { entries: mapBounds.entries, characters: 4 * mapBounds.characters };

export function isContextMap(value: ContextValue): value is ContextMap {
  return value instanceof Map;
}

/** Why the value can't stand for a map of that type; undefined when it can. Never repeats what is in it. */
export function mapProblem(type: MapType, value: ContextValue | undefined): string | undefined {
  if (!(value instanceof Map)) return `is not a ${type}`;
  if (value.size > mapBounds.entries) return `has more than ${mapBounds.entries} entries`;
  let characters = 0;
  for (const [name, each] of value as Map<unknown, unknown>) {
    if (typeof name !== 'string') return `is not a ${type}`;
    if (name.length > mapBounds.nameCharacters) return `has a name of more than ${mapBounds.nameCharacters} characters`;
    characters += name.length;
    if (type === 'Map<Long>') {
      if (!Number.isSafeInteger(each)) return 'has a number that is no whole number, or is too large';
      // Half a surrogate pair becomes U+FFFD on its way to the engine, and two names would be one.
      if (halfPair.test(name)) return notUnicode;
      continue;
    }
    if (typeof each !== 'string') return `is not a ${type}`;
    if (each.length > mapBounds.valueCharacters) {
      return `has a value of more than ${mapBounds.valueCharacters} characters`;
    }
    if (halfPair.test(name) || halfPair.test(each)) return notUnicode;
    characters += each.length;
  }
  return characters > mapBounds.characters ? `has more than ${mapBounds.characters} characters` : undefined;
}

/** Matches a surrogate that stands alone, for whole pairs are one character to it. */
const halfPair = /\p{Surrogate}/u;
const notUnicode = 'has a text that is not well-formed Unicode';

export function mapUid(type: MapType, attribute: string): TypeAndId {
  return { type: mapEntityTypes[type], id: attribute };
}

/** `keys`: the entries that policies can ask for. */
export function mapEntity(
  type: MapType,
  attribute: string,
  map: ContextMap,
  keys: ReadonlySet<string> | 'all',
): EntityJson {
  const sent = mapEntries(map, keys).map(([name, value]): [string, CedarValueJson] => [
    name,
    // The engine takes -0 for a decimal number.
    typeof value === 'number' ? value + 0 : value,
  ]);
  return { uid: mapUid(type, attribute), attrs: {}, parents: [], tags: Object.fromEntries(sent) };
}

/** Those of the entries that are there, by name. */
export function mapEntries(map: ContextMap, keys: ReadonlySet<string> | 'all'): [string, string | number][] {
  const all: ReadonlyMap<string, string | number> = map;
  const names = keys === 'all' ? [...all.keys()] : [...keys].filter((name) => all.has(name));
  return names.sort().flatMap((name): [string, string | number][] => {
    const value = all.get(name);
    return value === undefined ? [] : [[name, value]];
  });
}
