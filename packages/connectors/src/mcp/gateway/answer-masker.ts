import type { LabelMap } from '@sluice/core/contract/labels.ts';
import type { Session } from '@sluice/core/contract/session.ts';
import type { Json } from '@sluice/core/domain/json.ts';
import type { OwnCredential } from '../../wire/own-credential.ts';
import { type EmbeddedJson, findJson } from './embedded-json.ts';
import { HiddenValues } from './hidden-values.ts';
import { readsLikeMembers } from './reads-like-members.ts';

export interface AnswerMaskerPorts {
  readonly session: Session;
  readonly labels: LabelMap;
  readonly own: OwnCredential;
  /** Throws for what is not strictly JSON. */
  parse(text: string): Json;
}

/**
 * Masks one answer, and what is said along with it. Labels stand on paths: the tool's or the prompt's name, or the
 * resource's URI, and the names of members below it, the same in structured content and in text that is JSON. What was
 * hidden in one part of the answer is hidden in all of it, once all of it was gone over.
 */
export class AnswerMasker {
  readonly #ports: AnswerMaskerPorts;
  readonly #roots: readonly string[];
  readonly #hidden = new HiddenValues();
  readonly #labels = new Set<string>();

  /** `roots`: what the paths begin with; labels of each apply. Without any, no document is shown that may bear some. */
  constructor(ports: AnswerMaskerPorts, roots: readonly string[]) {
    this.#ports = ports;
    this.#roots = [...new Set(roots)];
  }

  /** Labels of everything that was found, shown or not. */
  get labels(): readonly string[] {
    return [...this.#labels].sort();
  }

  /** Finds out what is hidden anywhere in these, before any of it is shown: documents, and whatever has texts in it. */
  learn(documents: readonly Json[], texts: Json): void {
    if (!this.#hides()) return;
    for (const each of documents) this.#document(each, [], 0);
    for (const each of textsIn(texts)) this.#text(each, [], 0);
  }

  document(value: Json): Json {
    const isDocument = typeof value === 'object' && value !== null;
    if (isDocument && this.#roots.length === 0 && this.#hides()) return withheld;
    return this.#document(value, [], 0);
  }

  /** Text that may be JSON, hold some, or be none. */
  text(text: string): string {
    return this.#text(text, [], 0);
  }

  #document(value: Json, path: readonly string[], depth: number): Json {
    const { session } = this.#ports;
    const masked = session.texts.json(this.#opened(value, path, depth), (below) => this.#labelsAt([...path, ...below]));
    for (const label of masked.labels) this.#labels.add(label);
    this.#hidden.learn(value, masked.value);
    return this.#hidden.outOfDocument(masked.value);
  }

  /** Documents within the texts of a document, masked: some servers hand on as text what they got as JSON. */
  #opened(value: Json, path: readonly string[], depth: number): Json {
    if (typeof value === 'string') return /[{[]/.test(value) ? this.#text(value, path, depth + 1) : value;
    if (Array.isArray(value))
      return (value as readonly Json[]).map((each) => this.#opened(each, [...path, '[]'], depth));
    if (typeof value !== 'object' || value === null) return value;
    const members = Object.entries(value).map(([name, member]) => [name, this.#opened(member, [...path, name], depth)]);
    return Object.fromEntries(members);
  }

  #text(text: string, path: readonly string[], depth: number): string {
    if (depth > deepest) return this.#hides() ? withheld : text;
    const documents = findJson(text, this.#ports.parse);
    if (this.#hides() && (this.#roots.length === 0 ? documents.length > 0 : brokenOff(text, documents)))
      return withheld;
    // Documents first: what is hidden in them is hidden in the text around them.
    const shown = documents.map(({ start, end, value }) => {
      const after = JSON.stringify(this.#document(this.#ports.own.json(value), path, depth));
      return JSON.stringify(value) === after ? text.slice(start, end) : after;
    });
    let whole = '';
    let from = 0;
    for (const [index, { start, end }] of documents.entries()) {
      whole += this.#plain(text.slice(from, start), path) + shown[index];
      from = end;
    }
    return whole + this.#plain(text.slice(from), path);
  }

  #plain(text: string, path: readonly string[]): string {
    if (text === '') return text;
    if ((this.#hidden.full || readsLikeMembers(text)) && /[^\s`]/.test(text) && this.#hides()) return withheld;
    const masked = this.#ports.session.texts.json(this.#hidden.outOfText(text), () => this.#labelsAt(path));
    for (const label of masked.labels) this.#labels.add(label);
    return typeof masked.value === 'string' ? masked.value : '';
  }

  /** Whether there are labels on paths of this target that the principal may not see. */
  #hides(): boolean {
    const { session, labels } = this.#ports;
    return session.hides(labels.all(session.info.target.name)).length > 0;
  }

  #labelsAt(path: readonly string[]): readonly string[] {
    const { session, labels } = this.#ports;
    const { name } = session.info.target;
    const [root] = this.#roots;
    if (this.#roots.length === 1 && root !== undefined) return labels.of(name, [root, ...path]);
    return [...new Set(this.#roots.flatMap((each) => labels.of(name, [each, ...path])))].sort();
  }
}

/** Documents in texts of documents in texts, so deep and no deeper. */
const deepest = 4;

/** Whether something of JSON is left over, so that nobody knows at which path what could be read stands. */
function brokenOff(text: string, documents: readonly EmbeddedJson[]): boolean {
  let outside = '';
  let from = 0;
  for (const { start, end } of documents) {
    // A member's value, whatever it is.
    outside += `${text.slice(from, start)}0`;
    from = end;
  }
  return documents.length > 0 && readsLikeMembers(outside + text.slice(from));
}

function* textsIn(value: Json): Iterable<string> {
  if (typeof value === 'string') yield value;
  else if (typeof value === 'object' && value !== null) {
    for (const each of Object.values(value) as Iterable<Json>) yield* textsIn(each);
  }
}

const withheld = '[left out: it could not be read as JSON, so that what must be masked in it is not known]';
