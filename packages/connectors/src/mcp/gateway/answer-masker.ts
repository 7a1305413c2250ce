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
    const { session } = this.#ports;
    const masked = session.texts.json(value, (path) => this.#labelsAt(path));
    for (const label of masked.labels) this.#labels.add(label);
    if (masked.masked) this.#learn(value, masked.value);
    return masked.value;
  }

  /** Text that may be JSON, hold some, or be none. */
  text(text: string): string {
    // Documents first: what is hidden in them is hidden in the text around them.
    const documents = findJson(text, this.#ports.parse).map(({ start, end, value }) => {
      const after = JSON.stringify(this.document(value));
      return { start, end, shown: JSON.stringify(value) === after ? text.slice(start, end) : after };
    });
    let whole = '';
    let from = 0;
    for (const { start, end, shown } of documents) {
      whole += this.#plain(text.slice(from, start)) + shown;
      from = end;
    }
    return whole + this.#plain(text.slice(from));
  }

  #plain(text: string): string {
    if (text === '') return text;
    if (this.#doubtful(text)) return withheld;
    let known = text;
    for (const [value, mask] of this.#hidden) if (known.includes(value)) known = known.replaceAll(value, mask);
    const masked = this.#ports.session.texts.json(known, (path) => this.#labelsAt(path));
    for (const label of masked.labels) this.#labels.add(label);
    return typeof masked.value === 'string' ? masked.value : '';
  }

  /**
   * Whether there is something in the text that reads like members of a document and could not be read as one, where
   * labels stand on paths of this target that the principal may not see: nobody knows which values are under them.
   */
  #doubtful(text: string): boolean {
    if (!/["']?[\w.$-]+["']?\s*:\s*["'[{\d]/.test(text) || !/[{[]/.test(text)) return false;
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

const withheld = '[left out: it could not be read as JSON, so that what must be masked in it is not known]';
