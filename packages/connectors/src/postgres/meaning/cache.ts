import type { Action } from '@sluice/core/domain/action.ts';
import type { Resource } from '@sluice/core/domain/resource.ts';
import { interpret } from './interpret.ts';
import type { MeaningContext, StatementMeaning } from './statement.ts';

export interface CacheBounds {
  readonly entries: number;
  /** Sum of the texts' lengths in characters. */
  readonly characters: number;
}

const defaultBounds: CacheBounds = { entries: 4096, characters: 8 * 1024 * 1024 };

type Meanings = readonly StatementMeaning[];
/** By what a text depends on beside itself, then by text. */
type Generation = Map<string, Map<string, Meanings>>;

/**
 * Meanings of texts seen before, bounded in number and size. A meaning is kept under everything it depends on; an
 * overlay or a name that a session gave to something is part of that, or keeps it out. What was not used for a whole
 * generation goes with it, so that a text that is used again costs one look and no bookkeeping. What is met again is
 * frozen: whoever puts something together for it may rely on its coming again, and on its being the same.
 */
export class MeaningCache {
  readonly #bounds: CacheBounds;
  readonly #grounds = new WeakMap<MeaningContext, string>();
  #young: Generation = new Map();
  #old: Generation = new Map();
  #entries = 0;
  #characters = 0;
  #oldEntries = 0;

  constructor(bounds: CacheBounds = defaultBounds) {
    this.#bounds = bounds;
  }

  /** As `interpret`; throws what it throws, and keeps no error. */
  interpret(text: string, ctx: MeaningContext): Meanings {
    if (ctx.overlay.changes.length > 0) return interpret(text, ctx);
    const grounds = this.#groundsOf(ctx);
    const known = this.#young.get(grounds)?.get(text);
    if (known !== undefined) return frozen(known);
    const kept = this.#old.get(grounds)?.get(text);
    if (kept !== undefined) {
      this.#keep(grounds, text, kept);
      return frozen(kept);
    }
    const meanings = interpret(text, ctx);
    if (!meanings.some(dependsOnSession)) this.#keep(grounds, text, meanings);
    return meanings;
  }

  /** Entries that are kept; one that is in both generations counts twice. */
  get size(): number {
    return this.#entries + this.#oldEntries;
  }

  #groundsOf(ctx: MeaningContext): string {
    let grounds = this.#grounds.get(ctx);
    if (grounds === undefined) {
      grounds = groundsOf(ctx);
      this.#grounds.set(ctx, grounds);
    }
    return grounds;
  }

  #keep(grounds: string, text: string, meanings: Meanings): void {
    const { entries, characters } = this.#bounds;
    if (text.length > characters / 16) return;
    if (this.#entries + 1 > entries / 2 || this.#characters + text.length > characters / 2) {
      this.#old = this.#young;
      this.#oldEntries = this.#entries;
      this.#young = new Map();
      this.#entries = 0;
      this.#characters = 0;
    }
    let texts = this.#young.get(grounds);
    if (texts === undefined) {
      texts = new Map();
      this.#young.set(grounds, texts);
    }
    texts.set(text, meanings);
    this.#entries++;
    this.#characters += text.length;
  }
}

/** EXECUTE and FETCH mean what this one session has put under the name. */
function dependsOnSession(meaning: StatementMeaning): boolean {
  return ['execute', 'fetch', 'move', 'explain'].includes(meaning.kind) || meaning.kind === 'create_table_as';
}

/** Names may hold any character, so each is quoted: a path of two schemas is never that of one with a strange name. */
function groundsOf(ctx: MeaningContext): string {
  const { target, role, sessionUser, database, searchPath, catalog } = ctx;
  return JSON.stringify([target, catalog.epoch, role, sessionUser, database, searchPath]);
}

function frozen(meanings: Meanings): Meanings {
  if (Object.isFrozen(meanings)) return meanings;
  for (const { actions } of meanings) {
    for (const action of actions) freezeAction(action);
    Object.freeze(actions);
  }
  return Object.freeze(meanings);
}

function freezeAction(action: Action): void {
  for (const resource of action.resources) {
    for (let link: Resource | undefined = resource; link; link = link.parent) Object.freeze(link);
  }
  for (const value of Object.values(action.context)) if (Array.isArray(value)) Object.freeze(value);
  Object.freeze(action.resources);
  Object.freeze(action.context);
  Object.freeze(action);
}
