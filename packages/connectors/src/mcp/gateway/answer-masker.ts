import type { LabelMap } from '@sluice/core/contract/labels.ts';
import type { Session } from '@sluice/core/contract/session.ts';
import type { Json } from '@sluice/core/domain/json.ts';
import { findJson } from './embedded-json.ts';

export interface AnswerMaskerPorts {
  readonly session: Session;
  readonly labels: LabelMap;
  /** Throws for what is not strictly JSON. */
  parse(text: string): Json;
}

/** Shorter values say too little to be looked for in other text. */
const shortestTelling = 4;
const mostTelling = 2_000;

/**
 * Masks one answer. Labels stand on paths: the tool's or the prompt's name, or the resource's URI, and the names of
 * members below it, the same in structured content and in text that is JSON. What was hidden in one part of the answer
 * is hidden in all of it.
 */
export class AnswerMasker {
  readonly #ports: AnswerMaskerPorts;
  readonly #roots: readonly string[];
  readonly #hidden = new Map<string, string>();
  readonly #labels = new Set<string>();

  /** `roots`: what the paths begin with; labels of each apply. */
  constructor(ports: AnswerMaskerPorts, roots: readonly string[]) {
    this.#ports = ports;
    this.#roots = [...new Set(roots)];
  }

  /** Labels of everything that was found, shown or not. */
  get labels(): readonly string[] {
    return [...this.#labels].sort();
  }

  document(value: Json): Json {
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
    this.#learn(value, masked.value);
    return masked.value;
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
    // Documents first: what is hidden in them is hidden in the text around them.
    const documents = findJson(text, this.#ports.parse).map(({ start, end, value }) => {
      const after = JSON.stringify(this.#document(value, path, depth));
      return { start, end, shown: JSON.stringify(value) === after ? text.slice(start, end) : after };
    });
    let whole = '';
    let from = 0;
    for (const { start, end, shown } of documents) {
      whole += this.#plain(text.slice(from, start), path) + shown;
      from = end;
    }
    return whole + this.#plain(text.slice(from), path);
  }

  #plain(text: string, path: readonly string[]): string {
    if (text === '') return text;
    if (readsLikeMembers(text) && this.#hides()) return withheld;
    let known = text;
    for (const [value, mask] of this.#hidden) if (known.includes(value)) known = known.replaceAll(value, mask);
    const masked = this.#ports.session.texts.json(known, () => this.#labelsAt(path));
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

  /** Remembers what was hidden, and what stands in its place. */
  #learn(before: Json, after: Json): void {
    if (before === after || this.#hidden.size >= mostTelling) return;
    if (typeof before === 'string' || typeof before === 'number') {
      const value = String(before);
      if (value.length >= shortestTelling) this.#hidden.set(value, typeof after === 'string' ? after : '***');
    } else if (Array.isArray(before) && Array.isArray(after)) {
      for (const [index, each] of (before as readonly Json[]).entries()) this.#learn(each, after[index] ?? null);
    } else if (typeof before === 'object' && before !== null && typeof after === 'object' && after !== null) {
      // Members keep their order; their names may have been masked, too.
      const others = Object.entries(after);
      for (const [index, [name, value]] of Object.entries(before).entries()) {
        const [otherName = name, other = null] = others[index] ?? [];
        this.#learn(name, otherName);
        this.#learn(value, other);
      }
    }
  }
}

/** Documents in texts of documents in texts, so deep and no deeper. */
const deepest = 4;

/**
 * What stands outside of all that could be read as JSON, and yet reads like members of a document: one that breaks off,
 * or that only some reader would take. Nobody knows which values stand under a label in it.
 */
function readsLikeMembers(text: string): boolean {
  const brace = text.indexOf('{');
  return brace >= 0 && member.test(text.slice(brace));
}

const member = /(?<![\w-])[A-Za-z_$][\w$-]{0,63}\\{0,8}["']?\s{0,8}:\s{0,8}\\{0,8}["'[{\d]/;

const withheld = '[left out: it could not be read as JSON, so that what must be masked in it is not known]';
