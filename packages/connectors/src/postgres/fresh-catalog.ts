/**
 * A target's catalog with an age. Objects can be changed behind the gateway's back, and a view that shows another column
 * now must not be judged by what it showed before: past a bound nothing is judged until the server was asked whether
 * anything changed.
 */
import type { Clock } from '@sluice/core/contract/clock.ts';
import type { CatalogCache } from './catalog/cache.ts';
import type { Catalog, QueryRunner } from './catalog/catalog.ts';

/** What is known may be this old, in milliseconds. */
const maxAge = 5_000;
/** From this age on the server is asked without anybody waiting for it. */
const askFrom = 2_000;

/**
 * Changes with every committed change to a row of the catalogs that give statements their meaning: an update or insert
 * brings a new xmin, a delete takes one away.
 */
const changes = [
  'pg_class',
  'pg_attribute',
  'pg_proc',
  'pg_rewrite',
  'pg_inherits',
  'pg_type',
  'pg_namespace',
  'pg_operator',
  'pg_cast',
  'pg_attrdef',
  'pg_constraint',
]
  .map(
    (table) =>
      `SELECT pg_catalog.count(*), pg_catalog.sum(xmin::pg_catalog.text::pg_catalog.int8) FROM pg_catalog.${table}`,
  )
  .join(' UNION ALL ');

export class FreshCatalog {
  readonly #cache: CatalogCache;
  readonly #run: QueryRunner;
  readonly #clock: Pick<Clock, 'now'>;
  #checkedAt = Number.NEGATIVE_INFINITY;
  #state = '';
  #checking: Promise<void> | undefined;
  /** How often it was doubted; what was begun before a doubt does not settle it. */
  #doubts = 0;
  readonly #onRefresh: () => Promise<void> | undefined;

  /** `onRefresh` tells others who keep the same catalog. */
  constructor(
    cache: CatalogCache,
    run: QueryRunner,
    clock: Pick<Clock, 'now'>,
    onRefresh: () => Promise<void> | undefined = () => undefined,
  ) {
    this.#cache = cache;
    this.#run = run;
    this.#clock = clock;
    this.#onRefresh = onRefresh;
  }

  /** Throws MeaningError `catalog_unavailable` where there is none. */
  current(): Catalog {
    return this.#cache.current();
  }

  /** Undefined when what is known may be relied on; else resolves when it may. Rejects when the server cannot be asked. */
  freshen(): Promise<void> | undefined {
    const age = this.#clock.now() - this.#checkedAt;
    if (age < askFrom) return undefined;
    this.#checking ??= this.#begin();
    if (age >= maxAge) return this.#checking;
    // Nobody waits for it yet; whoever comes after the bound meets the failure.
    this.#checking.catch(() => undefined);
    return undefined;
  }

  /** Somebody else has reason to think that things have changed: whoever comes next waits until the server was asked. */
  doubt(): void {
    this.#doubts++;
    this.#checkedAt = Number.NEGATIVE_INFINITY;
    this.#checking = undefined;
  }

  async refresh(): Promise<Catalog> {
    const asked = this.#clock.now();
    const doubts = this.#doubts;
    // Whoever comes meanwhile, in whatever session, waits: somebody has reason to think that things have changed.
    this.#checkedAt = Number.NEGATIVE_INFINITY;
    await this.#onRefresh();
    const state = await this.#changes();
    const catalog = await this.#cache.refresh();
    // Only now: who compares with it must not take the old names for the ones of this state.
    this.#state = state;
    if (doubts === this.#doubts) this.#checkedAt = asked;
    return catalog;
  }

  #begin(): Promise<void> {
    const checking = this.#check().finally(() => {
      if (this.#checking === checking) this.#checking = undefined;
    });
    return checking;
  }

  async #check(): Promise<void> {
    const asked = this.#clock.now();
    const doubts = this.#doubts;
    const state = await this.#changes();
    if (state !== this.#state) await this.#cache.refresh();
    this.#state = state;
    if (doubts === this.#doubts) this.#checkedAt = asked;
  }

  async #changes(): Promise<string> {
    return JSON.stringify(await this.#run(changes));
  }
}
