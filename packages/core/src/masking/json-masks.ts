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

/** What becomes of single values of one JSON document, however it is walked through. */
export class JsonMasks {
  readonly labels = new Set<string>();
  masked = false;
  readonly #options: JsonMaskerOptions;

  constructor(options: JsonMaskerOptions) {
    this.#options = options;
  }

  /** Labels at the path, with those that hold above it. */
  labelsAt(path: readonly string[], above: readonly string[]): readonly string[] {
    if (path.length > deepest) {
      throw new MaskingError('undecidable', 'gateway', `A JSON document is nested more than ${deepest} deep.`);
    }
    const own = this.#options.labelsAt(path);
    return own.length === 0 ? above : [...new Set([...above, ...own])].sort();
  }

  /** What is shown of a string; null where there is no mask for it. */
  text(value: string, labels: readonly string[]): string | null {
    const hidden = this.#hidden(labels);
    if (hidden.length === 0) return this.#look(value).text;
    this.masked = true;
    return this.#options.masker.mask(hidden, { kind: 'text' }, value);
  }

  /** Whether a number, `true`, `false` or `null` may be shown, as it is written; else null is left in its place. */
  keeps(source: string, labels: readonly string[]): boolean {
    const hidden = this.#hidden(labels);
    if (source === 'null') return true;
    if (hidden.length > 0) {
      this.masked = true;
      return false;
    }
    return source === 'true' || source === 'false' || !this.#look(source).masked;
  }

  /** Names of members can be values: `{"jane@example.com": …}`. */
  name(key: string): string {
    return this.#look(key).text;
  }

  #hidden(labels: readonly string[]): readonly string[] {
    for (const label of labels) this.labels.add(label);
    return labels.filter(this.#options.hidden);
  }

  #look(text: string): { readonly text: string; readonly masked: boolean } {
    const result = this.#options.text.mask(text);
    for (const label of result.labels) this.labels.add(label);
    this.masked ||= result.masked;
    return result;
  }
}

/** Two names that look the same when masked stay two. */
export function untaken(name: string, taken: { has(name: string): boolean }): string {
  let free = name;
  for (let count = 2; taken.has(free); count++) free = `${name}~${count}`;
  return free;
}
