import type { Json } from '@sluice/core/domain/json.ts';
import { parseStrictJson } from '../../wire/json/strict-json.ts';
import { badRequest } from './bad-request.ts';
import type { Parameters } from './query.ts';

/** What policy can read of a body. */
export interface Fields {
  /** By JSON pointer (RFC 6901), as text; `[]` and `{}` for lists and objects. */
  readonly values: ReadonlyMap<string, string>;
  /** Those of them that are whole numbers. */
  readonly numbers: ReadonlyMap<string, number>;
  /** Not everything is in them: more, or longer, than policy takes. */
  readonly partly: boolean;
}

export const noFields: Fields = { values: new Map(), numbers: new Map(), partly: false };

/** What policy takes in one map; beyond it, nothing could be decided at all. */
const bounds = { entries: 5_000, name: 1_000, value: 60_000, characters: 900_000 };

/** Throws `JsonError`, and `HttpError` for members that not every server reads as they are written. */
export function jsonFields(bytes: Uint8Array, most: number): { readonly json: Json; readonly fields: Fields } {
  const json = parseStrictJson(bytes, { bytes: most, values: 100_000, inexact: () => {} });
  if (typeof json === 'object' && json !== null && Object.keys(json).some((name) => /^_method$/i.test(name))) {
    throw badRequest('The body asks for another method ("_method").');
  }
  const collected = new Collected();
  collected.json('', json);
  return { json, fields: collected };
}

export function formFields({ values }: Parameters): Fields {
  const collected = new Collected();
  for (const [name, value] of values) collected.add(`/${pointerPart(name)}`, value);
  return collected;
}

class Collected implements Fields {
  readonly values = new Map<string, string>();
  readonly numbers = new Map<string, number>();
  partly = false;
  #characters = 0;

  json(pointer: string, value: Json): void {
    // Without an entry of its own, `{"force":[true]}` would pass a policy that forbids `/force`.
    if (pointer !== '' && typeof value === 'object' && value !== null) {
      this.add(pointer, Array.isArray(value) ? '[]' : '{}');
    }
    if (Array.isArray(value)) {
      value.forEach((each: Json, index) => void this.json(`${pointer}/${index}`, each));
    } else if (typeof value === 'object' && value !== null) {
      refuseTwins(Object.keys(value));
      for (const [name, member] of Object.entries(value)) this.json(`${pointer}/${pointerPart(name)}`, member);
    } else {
      this.add(pointer, String(value));
      if (typeof value === 'number' && Number.isSafeInteger(value) && this.values.has(pointer)) {
        this.numbers.set(pointer, value);
      }
    }
  }

  add(name: string, value: string): void {
    const characters = name.length + value.length;
    if (
      this.values.size >= bounds.entries ||
      name.length > bounds.name ||
      value.length > bounds.value ||
      this.#characters + characters > bounds.characters
    ) {
      this.partly = true;
      return;
    }
    this.#characters += characters;
    this.values.set(name, value);
  }
}

/** Some readers, Go's among them, fold letters when they look a member up, and take the last one that fits. */
function refuseTwins(names: readonly string[]): void {
  if (new Set(names.map((name) => name.normalize('NFKC').toLowerCase())).size === names.length) return;
  throw badRequest('An object in the body has two members that some servers take for one.');
}

function pointerPart(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}
