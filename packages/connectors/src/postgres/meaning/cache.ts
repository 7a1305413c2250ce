import type { Action } from '@sluice/core/domain/action.ts';
import type { Resource } from '@sluice/core/domain/resource.ts';
import { type Bounds, Generations } from './generations.ts';
import { interpret, learn } from './interpret.ts';
import { type Skeleton, skeletonOf } from './literals.ts';
import { type Model, modelled } from './model.ts';
import type { MeaningContext, StatementMeaning } from './statement.ts';

const defaultBounds: Bounds = { entries: 4096, characters: 8 * 1024 * 1024 };

type Meanings = readonly StatementMeaning[];

/** What texts of a shape are understood by, and the last one that was. */
interface Learnt {
  readonly model: Model;
  last: string;
}

/** `met`: once, so that nothing was learnt of it yet; `each`: every text of the shape is understood by itself. */
type Shape = 'met' | 'each' | Learnt;

/**
 * Meanings of texts seen before, and models for texts that differ from those in their literals only. A meaning is kept
 * under everything it depends on; an overlay or a name that a session gave to something is part of that, or keeps it out.
 * What is met again is frozen: whoever puts something together for it may rely on its coming again, and on its being the
 * same.
 */
export class MeaningCache {
  readonly #texts: Generations<Meanings>;
  readonly #shapes: Generations<Shape>;
  readonly #grounds = new WeakMap<MeaningContext, string>();

  constructor(bounds: Bounds = defaultBounds) {
    this.#texts = new Generations(bounds);
    this.#shapes = new Generations(bounds);
  }

  /** As `interpret`; throws what it throws, and keeps no error. */
  interpret(text: string, ctx: MeaningContext): Meanings {
    if (ctx.overlay.changes.length > 0) return interpret(text, ctx);
    const grounds = this.#groundsOf(ctx);
    const known = this.#texts.get(grounds, text);
    if (known !== undefined) return frozen(known);
    const skeleton = skeletonOf(text);
    const shape = skeleton && this.#shapes.get(grounds, skeleton.shape);
    if (typeof shape === 'object') return this.#byModel(text, shape, grounds);
    const meanings = skeleton ? this.#learning(text, skeleton, shape, ctx, grounds) : interpret(text, ctx);
    if (!meanings.some(dependsOnSession)) this.#texts.keep(grounds, text, meanings);
    return meanings;
  }

  /** Texts and shapes that are kept; one that is in both generations counts twice. */
  get size(): number {
    return this.#texts.size + this.#shapes.size;
  }

  /**
   * Of many that differ, each would outlive the next thousand, and cost the collector more than it spares; one that comes
   * twice in a row is kept.
   */
  #byModel(text: string, shape: Learnt, grounds: string): Meanings {
    const meanings = modelled(shape.model, text);
    if (shape.last === text) this.#texts.keep(grounds, text, meanings);
    shape.last = text;
    return meanings;
  }

  #learning(
    text: string,
    skeleton: Skeleton,
    known: 'met' | 'each' | undefined,
    ctx: MeaningContext,
    grounds: string,
  ): Meanings {
    if (known === 'each') return interpret(text, ctx);
    const shape = inOnePiece(skeleton.shape);
    if (known === undefined) {
      const meanings = interpret(text, ctx);
      this.#shapes.keep(grounds, shape, meanings.some(dependsOnSession) ? 'each' : 'met');
      return meanings;
    }
    const { meanings, model } = learn(text, ctx, skeleton);
    if (model) frozen(meanings);
    this.#shapes.keep(grounds, shape, model ? { model, last: text } : 'each');
    return meanings;
  }

  #groundsOf(ctx: MeaningContext): string {
    let grounds = this.#grounds.get(ctx);
    if (grounds === undefined) {
      grounds = groundsOf(ctx);
      this.#grounds.set(ctx, grounds);
    }
    return grounds;
  }
}

/** A string that was put together of many keeps them all, which is many times what it says. Of ASCII only. */
function inOnePiece(shape: string): string {
  return Buffer.from(shape, 'latin1').toString('latin1');
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
