import type { CellMasker } from '../contract/labels.ts';
import type { Json } from '../domain/json.ts';
import { MaskingError } from './masking-error.ts';
import type { TextMasker } from './text-masker.ts';

export interface JsonMaskerOptions {
  /** Labels of what stands at a path: names of members, `[]` for an element of an array. They hold for all below it. */
  readonly labelsAt: (path: readonly string[]) => readonly string[];
  /** Whether values under the label must not be shown. */
  readonly hidden: (label: string) => boolean;
  readonly masker: CellMasker;
  /** For what nobody put a label on; must hide by the same `hidden`. */
  readonly text: TextMasker;
}

export interface MaskedJson {
  readonly value: Json;
  /** Labels that were found, by path or by look, shown or not; sorted. */
  readonly labels: readonly string[];
  /** Whether any of it was hidden. */
  readonly masked: boolean;
}

/** Deeper documents than any API sends are refused rather than let run the stack out. */
const deepest = 256;

/**
 * A copy of a parsed JSON document in which labelled and detected values are masked. Strings become their masks; of
 * numbers and booleans, for which there is no mask, null is left. Throws `undecidable` for a document that is nested
 * more than 256 deep. Numbers must have been parsed without loss to be recognised: beyond 2^53 their digits are others.
 */
export function maskJson(value: Json, options: JsonMaskerOptions): MaskedJson {
  const walk = new Walk(options);
  const masked = walk.value(value, [], []);
  return { value: masked, labels: [...walk.labels].sort(), masked: walk.masked };
}

class Walk {
  readonly labels = new Set<string>();
  masked = false;
  readonly #options: JsonMaskerOptions;

  constructor(options: JsonMaskerOptions) {
    this.#options = options;
  }

  value(value: Json, path: readonly string[], above: readonly string[]): Json {
    if (path.length > deepest) {
      throw new MaskingError('undecidable', 'gateway', `A JSON document is nested more than ${deepest} deep.`);
    }
    const own = this.#options.labelsAt(path);
    const labels = own.length === 0 ? above : [...new Set([...above, ...own])].sort();
    if (isArray(value)) return value.map((each) => this.value(each, [...path, '[]'], labels));
    if (typeof value === 'object' && value !== null) return this.#object(value, path, labels);
    for (const label of labels) this.labels.add(label);
    const hidden = labels.filter(this.#options.hidden);
    if (value === null) return null;
    return hidden.length === 0 ? this.#unlabelled(value) : this.#labelled(value, hidden);
  }

  #labelled(value: string | number | boolean, labels: readonly string[]): Json {
    this.masked = true;
    const { masker } = this.#options;
    return typeof value === 'string'
      ? masker.mask(labels, { kind: 'text' }, value)
      : masker.mask(labels, { kind: 'other' }, String(value));
  }

  #unlabelled(value: string | number | boolean): Json {
    if (typeof value === 'boolean') return value;
    const { text, masked } = this.#text(String(value));
    if (typeof value === 'string') return text;
    return masked ? null : value;
  }

  #object(value: { readonly [key: string]: Json }, path: readonly string[], labels: readonly string[]): Json {
    const members = new Map<string, Json>();
    for (const [key, member] of Object.entries(value)) {
      members.set(this.#key(key, members), this.value(member, [...path, key], labels));
    }
    // Makes own members of any name, `__proto__` among them.
    return Object.fromEntries(members);
  }

  /** Names of members can be values: `{"jane@example.com": …}`. Two that look the same when masked stay two. */
  #key(key: string, taken: ReadonlyMap<string, Json>): string {
    const name = this.#text(key).text;
    let unique = name;
    for (let count = 2; taken.has(unique); count++) unique = `${name}~${count}`;
    return unique;
  }

  #text(text: string): { readonly text: string; readonly masked: boolean } {
    const result = this.#options.text.mask(text);
    for (const label of result.labels) this.labels.add(label);
    this.masked ||= result.masked;
    return result;
  }
}

function isArray(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
