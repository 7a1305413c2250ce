import type { TextMasker } from './text-masker.ts';

/** What holds for all values of a document that the same names lead to. */
export interface Place {
  readonly path: readonly string[];
  /** Labels of what stands here, with those that hold above it. */
  readonly labels: readonly string[];
  /** What is shown of the name that leads here. */
  readonly shown: string;
  /** The name as it is written where nothing in it is escaped, quotes included; empty where it is not known. */
  readonly written: string;
  /** Which one it is of those below the same place, in the order in which they were met. */
  readonly index: number;
  readonly below: Place[];
  readonly names: Map<string, Place>;
  /** In one document: of the labels, those whose values must not be shown. */
  hidden: readonly string[] | undefined;
  /** Which document that is. */
  document: number;
}

type LabelsAt = (path: readonly string[]) => readonly string[];

/** Places that are remembered within one document; what is found out about the others is found out anew each time. */
const mostPlaces = 4096;
/** Places that are remembered for the next document, each under a name of so many characters. */
const mostKept = 256;
const longestKept = 64;

/** Those of the last document that has the same labels in the same places. */
const kept = new WeakMap<LabelsAt, Places>();

/** The places in documents whose labels are told by one function. */
export class Places {
  readonly top: Place;
  readonly #labelsAt: LabelsAt;
  #count = 0;
  /** Nothing in it is more than the form that documents have. */
  #lasting = true;

  private constructor(labelsAt: LabelsAt) {
    this.#labelsAt = labelsAt;
    const path: readonly string[] = [];
    this.top = place(path, labelsOf(noLabels, labelsAt(path)), '', 0);
  }

  /** Taken away, so that nobody else adds to them, until `keep`; the function must say the same each time. */
  static take(labelsAt: LabelsAt): Places {
    const known = kept.get(labelsAt);
    if (known === undefined) return new Places(labelsAt);
    kept.delete(labelsAt);
    return known;
  }

  /** For the next document, if they are few, and their names are nothing that could be a value. */
  keep(): void {
    if (this.#lasting && this.#count <= mostKept) kept.set(this.#labelsAt, this);
  }

  /** The place behind a name that was not met there; `found` is told of what gives itself away in the name. */
  add(above: Place, name: string, text: TextMasker, found: (name: ReturnType<TextMasker['mask']>) => void): Place {
    const own = name.length < unshared || this.#count >= mostKept ? name : unsharedCopy(name);
    const path = [...above.path, own];
    const look = text.mask(own);
    found(look);
    const added = place(path, labelsOf(above.labels, this.#labelsAt(path)), look.text, above.below.length);
    this.#count += 1;
    if (look.masked || look.labels.length > 0 || own.length > longestKept) this.#lasting = false;
    if (this.#count > mostPlaces) return added;
    above.below.push(added);
    above.names.set(own, added);
    return added;
  }
}

function place(path: readonly string[], labels: readonly string[], shown: string, index: number): Place {
  const name = path.at(-1) ?? '';
  const written = plain.test(name) ? `"${name}"` : '';
  return { path, labels, shown, written, index, below: [], names: new Map(), hidden: undefined, document: 0 };
}

/** What no JSON writer would escape, and a bound for what is compared. */
const plain = /^[\x20\x21\x23-\x5b\x5d-\x7e]{1,64}$/;

function labelsOf(above: readonly string[], own: readonly string[]): readonly string[] {
  return own.length === 0 ? above : [...new Set([...above, ...own])].sort();
}

const noLabels: readonly string[] = [];

/** Engines make a longer part of a text a view of all of it, which would be kept with the part. */
const unshared = 13;
const [encoder, decoder] = [new TextEncoder(), new TextDecoder('utf-8', { ignoreBOM: true })];

function unsharedCopy(name: string): string {
  const copy = decoder.decode(encoder.encode(name));
  // Half of a surrogate pair does not survive; it can only have been written as an escape, which is no part of a text.
  return copy === name ? copy : name;
}
