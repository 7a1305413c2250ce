import type { CellMasker } from '../contract/labels.ts';
import { MaskingError } from './masking-error.ts';
import type { TextMasker } from './text-masker.ts';

export interface JsonMaskerOptions {
  /** Labels of what stands at a path: names of members, `[]` for an element of an array. They hold for all below it. */
  readonly labelsAt: (path: readonly string[]) => readonly string[];
  /** Whether values under the label must not be shown. */
  readonly hidden: (label: string) => boolean;
  readonly masker: CellMasker;
  /** For what nobody put a label on. */
  readonly text: TextMasker;
}

/** Deeper documents than any API sends are refused rather than let run the stack out. */
const deepest = 256;

/** Places that are remembered within one document; what is found out about the others is found out anew each time. */
const mostPlaces = 4096;

/** What holds for all values of a document that the same names lead to, found out once. */
export interface Place {
  readonly path: readonly string[];
  /** Labels of what stands here, with those that hold above it. */
  readonly labels: readonly string[];
  /** Of the labels, those whose values must not be shown; unknown until there is a value. */
  hidden?: readonly string[];
  /** What is shown of the name that leads here; unknown until there is one. */
  shown?: string;
  below?: Map<string, Place>;
}

/**
 * What becomes of single values of one JSON document, however it is walked through. A walk is one turn of the event loop,
 * in which no policy changes, so who may see what is asked once for each label.
 */
export class JsonMasks {
  readonly labels = new Set<string>();
  masked = false;
  readonly #options: JsonMaskerOptions;
  readonly #hides = new Map<string, boolean>();
  #places = 0;

  constructor(options: JsonMaskerOptions) {
    this.#options = options;
  }

  /** Where a document begins. */
  top(): Place {
    return this.#place([], noLabels);
  }

  /** Behind the name of a member, or `[]` for an element of an array. */
  below(place: Place, name: string): Place {
    const known = place.below?.get(name);
    if (known !== undefined) return known;
    const found = this.#place([...place.path, name], place.labels);
    if (++this.#places > mostPlaces) return found;
    place.below ??= new Map();
    place.below.set(name, found);
    return found;
  }

  #place(path: readonly string[], above: readonly string[]): Place {
    if (path.length > deepest) {
      throw new MaskingError('undecidable', 'gateway', `A JSON document is nested more than ${deepest} deep.`);
    }
    const own = this.#options.labelsAt(path);
    return { path, labels: own.length === 0 ? above : [...new Set([...above, ...own])].sort() };
  }

  /** What is shown of a string; null where there is no mask for it. */
  text(value: string, place: Place): string | null {
    const hidden = this.#hidden(place);
    if (hidden.length === 0) return this.#look(value).text;
    this.masked = true;
    return this.#options.masker.mask(hidden, { kind: 'text' }, value);
  }

  /** Whether a number, `true`, `false` or `null` may be shown, as it is written; else null is left in its place. */
  keeps(source: string, place: Place): boolean {
    const hidden = this.#hidden(place);
    if (source === 'null') return true;
    if (hidden.length > 0) {
      this.masked = true;
      return false;
    }
    // The shortest number that means anything, of a Spanish identity card, has nine characters.
    if (source.length < 9 || source === 'true' || source === 'false') return true;
    return !this.#look(source).masked;
  }

  /** What is shown of the name that leads to a place. Names of members can be values: `{"jane@example.com": …}`. */
  name(key: string, place: Place): string {
    place.shown ??= this.#look(key).text;
    return place.shown;
  }

  #hidden(place: Place): readonly string[] {
    if (place.hidden !== undefined) return place.hidden;
    for (const label of place.labels) this.labels.add(label);
    place.hidden = place.labels.length === 0 ? noLabels : place.labels.filter((label) => this.#hide(label));
    return place.hidden;
  }

  #hide(label: string): boolean {
    const known = this.#hides.get(label);
    if (known !== undefined) return known;
    const hidden = this.#options.hidden(label);
    this.#hides.set(label, hidden);
    return hidden;
  }

  #look(text: string): { readonly text: string; readonly masked: boolean } {
    const result = this.#options.text.mask(text);
    for (const label of result.labels) this.labels.add(label);
    this.masked ||= result.masked;
    return result;
  }
}

const noLabels: readonly string[] = [];

/** Two names that look the same when masked stay two. */
export function untaken(name: string, taken: { has(name: string): boolean }): string {
  let free = name;
  for (let count = 2; taken.has(free); count++) free = `${name}~${count}`;
  return free;
}
