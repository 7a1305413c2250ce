import { interpret } from './interpret.ts';
import type { MeaningContext, StatementMeaning } from './statement.ts';

/**
 * Meanings of texts seen before, bounded in number and size, least recently used out first. A meaning is kept under
 * everything it depends on; an overlay or a name that a session gave to something is part of that, or keeps it out.
 */
export interface CacheBounds {
  readonly entries: number;
  /** Sum of the texts' lengths in characters. */
  readonly characters: number;
}

const defaultBounds: CacheBounds = { entries: 4096, characters: 8 * 1024 * 1024 };

export class MeaningCache {
  readonly #bounds: CacheBounds;
  readonly #entries = new Map<string, readonly StatementMeaning[]>();
  #characters = 0;

  constructor(bounds: CacheBounds = defaultBounds) {
    this.#bounds = bounds;
  }

  /** As `interpret`; throws what it throws, and keeps no error. */
  interpret(text: string, ctx: MeaningContext): readonly StatementMeaning[] {
    if (ctx.overlay.changes.length > 0) return interpret(text, ctx);
    const key = keyOf(text, ctx);
    const known = this.#entries.get(key);
    if (known !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, known);
      return known;
    }
    const meanings = interpret(text, ctx);
    if (!meanings.some(dependsOnSession)) this.#keep(key, meanings);
    return meanings;
  }

  get size(): number {
    return this.#entries.size;
  }

  #keep(key: string, meanings: readonly StatementMeaning[]): void {
    if (key.length > this.#bounds.characters / 16) return;
    this.#entries.set(key, meanings);
    this.#characters += key.length;
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#bounds.entries && this.#characters <= this.#bounds.characters) break;
      this.#entries.delete(oldest);
      this.#characters -= oldest.length;
    }
  }
}

/** EXECUTE and FETCH mean what this one session has put under the name. */
function dependsOnSession(meaning: StatementMeaning): boolean {
  return ['execute', 'fetch', 'move', 'explain'].includes(meaning.kind) || meaning.kind === 'create_table_as';
}

/** NUL can be in no text that is understood, nor in a name. */
function keyOf(text: string, ctx: MeaningContext): string {
  const { target, role, sessionUser, database, searchPath, catalog } = ctx;
  return [target, String(catalog.epoch), role, sessionUser, database, searchPath.join('\u0001'), text].join('\0');
}
