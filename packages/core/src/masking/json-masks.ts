import type { CellMasker, CellShape } from '../contract/labels.ts';
import { type Place, Places } from './json-places.ts';
import { MaskingError } from './masking-error.ts';
import type { MaskedText, TextMasker } from './text-masker.ts';

export interface JsonMaskerOptions {
  /**
   * Labels of what stands at a path: names of members, `[]` for an element of an array. They hold for all below it. The
   * same function says the same each time: what it said of one document counts for the next.
   */
  readonly labelsAt: (path: readonly string[]) => readonly string[];
  /** Whether values under the label must not be shown. */
  readonly hidden: (label: string) => boolean;
  readonly masker: CellMasker;
  /** For what nobody put a label on. */
  readonly text: TextMasker;
}

/** Deeper documents than any API sends are refused rather than let run the stack out. */
const deepest = 256;

let documents = 0;

/**
 * What becomes of single values of one JSON document, however it is walked through. A walk is one turn of the event loop,
 * in which no policy changes, so who may see what is asked once for each label.
 */
export class JsonMasks {
  readonly labels = new Set<string>();
  masked = false;
  readonly #options: JsonMaskerOptions;
  readonly #hides = new Map<string, boolean>();
  readonly #places: Places;
  readonly #document = ++documents;
  readonly #found = ({ labels, masked }: MaskedText): void => {
    for (const label of labels) this.labels.add(label);
    if (masked) this.masked = true;
  };

  constructor(options: JsonMaskerOptions) {
    this.#options = options;
    this.#places = Places.take(options.labelsAt);
  }

  /** Where a document begins. */
  top(): Place {
    return this.#places.top;
  }

  /** The document was walked through to its end. */
  done(): void {
    this.#places.keep();
  }

  /** Behind the name of a member, or `[]` for an element of an array. */
  below(place: Place, name: string): Place {
    const known = place.names.get(name);
    if (known !== undefined) return known;
    if (place.path.length >= deepest) {
      throw new MaskingError('undecidable', 'gateway', `A JSON document is nested more than ${deepest} deep.`);
    }
    return this.#places.add(place, name, this.#options.text, this.#found);
  }

  /** Whether a string that stands in a larger text is shown as it is, so that nobody has to make a string of it. */
  shows(text: string, from: number, to: number, place: Place): boolean {
    return this.#hidden(place).length === 0 && (this.#options.text.quiet?.(text, from, to) ?? false);
  }

  /** What is shown of a string; null where there is no mask for it. */
  text(value: string, place: Place): string | null {
    const hidden = this.#hidden(place);
    if (hidden.length === 0) return this.#look(value).text;
    this.masked = true;
    return this.#options.masker.mask(hidden, textShape, value);
  }

  /** Whether a number, `true`, `false` or `null` may be shown, as it is written; else null is left in its place. */
  keeps(source: string, place: Place): boolean {
    const hidden = this.#hidden(place);
    if (source === 'null') return true;
    if (hidden.length > 0) {
      this.masked = true;
      return false;
    }
    if (source.length < tellingNumber || source === 'true' || source === 'false') return true;
    return !this.#look(source).masked;
  }

  #hidden(place: Place): readonly string[] {
    const { labels } = place;
    if (labels.length === 0) return labels;
    if (place.document === this.#document && place.hidden !== undefined) return place.hidden;
    for (const label of labels) this.labels.add(label);
    const hidden = labels.filter((label) => this.#hide(label));
    // The same list is known again by whoever masks.
    place.hidden = hidden.length === labels.length ? labels : hidden;
    place.document = this.#document;
    return place.hidden;
  }

  #hide(label: string): boolean {
    const known = this.#hides.get(label);
    if (known !== undefined) return known;
    const hidden = this.#options.hidden(label);
    this.#hides.set(label, hidden);
    return hidden;
  }

  #look(text: string): MaskedText {
    const result = this.#options.text.mask(text);
    this.#found(result);
    return result;
  }
}

const textShape: CellShape = { kind: 'text' };

/** The shortest number that means anything, of a Spanish identity card, has so many characters. */
export const tellingNumber = 9;

/** Two names that look the same when masked stay two. */
export function untaken(name: string, taken: { has(name: string): boolean }): string {
  let free = name;
  for (let count = 2; taken.has(free); count++) free = `${name}~${count}`;
  return free;
}
