import type { Json } from '../domain/json.ts';
import { type JsonMaskerOptions, JsonMasks, untaken } from './json-masks.ts';
import type { Place } from './json-places.ts';

export interface MaskedJson {
  readonly value: Json;
  /** Labels that were found, by path or by look, shown or not; sorted. */
  readonly labels: readonly string[];
  /** Whether any of it was hidden. */
  readonly masked: boolean;
}

/**
 * A copy of a parsed JSON document in which labelled and detected values are masked. Strings become their masks; of
 * numbers and booleans, for which there is no mask, null is left. Throws `undecidable` for a document that is nested
 * more than 256 deep. A parsed document has lost the digits of numbers beyond 2^53 and the order of members that are
 * called like numbers: where they matter, `maskJsonText` keeps them.
 */
export function maskJson(value: Json, options: JsonMaskerOptions): MaskedJson {
  const walk = new Walk(options);
  const masked = walk.value(value, walk.top());
  walk.done();
  return { value: masked, labels: [...walk.labels].sort(), masked: walk.masked };
}

class Walk extends JsonMasks {
  value(value: Json, place: Place): Json {
    if (isArray(value)) return value.map((each) => this.value(each, this.below(place, '[]')));
    if (typeof value === 'object' && value !== null) return this.#object(value, place);
    if (typeof value === 'string') return this.text(value, place);
    return this.keeps(value === null ? 'null' : String(value), place) ? value : null;
  }

  #object(value: { readonly [key: string]: Json }, place: Place): Json {
    const members = new Map<string, Json>();
    for (const [key, member] of Object.entries(value)) {
      const at = this.below(place, key);
      members.set(untaken(at.shown, members), this.value(member, at));
    }
    // Makes own members of any name, `__proto__` among them.
    return Object.fromEntries(members);
  }
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
