import type { LabelMap } from '@sluice/core/contract/labels.ts';
import { MeaningError } from '../meaning/error.ts';
import type { Catalog, QueryRunner } from './catalog.ts';
import type { Lineage } from './column-labels.ts';
import { loadNames } from './load.ts';
import { CatalogSnapshot } from './snapshot.ts';

/**
 * Keeps one target's names fresh: one refresh at a time, the last good one kept for nobody. A refresh that fails leaves
 * no catalog at all, and without a catalog every statement is refused.
 */
export class CatalogCache {
  readonly #target: string;
  readonly #run: QueryRunner;
  readonly #labels: LabelMap;
  readonly #lineage: Lineage;
  #current: Catalog | undefined;
  #epoch = 0;
  #running: Promise<Catalog> | undefined;
  #next: Promise<Catalog> | undefined;

  constructor(target: string, run: QueryRunner, labels: LabelMap, lineage: Lineage) {
    this.#target = target;
    this.#run = run;
    this.#labels = labels;
    this.#lineage = lineage;
  }

  /** The names as of the last refresh. Throws MeaningError `catalog_unavailable` before the first and after a failed one. */
  current(): Catalog {
    if (this.#current === undefined) throw unavailable(undefined);
    return this.#current;
  }

  /** The current names, or those of a first refresh. */
  async ready(): Promise<Catalog> {
    return this.#current ?? (await this.#running) ?? (await this.refresh());
  }

  /**
   * Reads the names again. A caller that comes while a refresh runs gets the one after it, because the running one may
   * have passed the change it waits for; all such callers share that one. Rejects with MeaningError `catalog_unavailable`.
   */
  refresh(): Promise<Catalog> {
    if (this.#running === undefined) {
      this.#running = this.#load().finally(() => {
        this.#running = undefined;
      });
      return this.#running;
    }
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return this.refresh();
      });
    return this.#next;
  }

  /** What is known may be wrong from now on: refuse until the next refresh. */
  invalidate(): void {
    this.#current = undefined;
  }

  async #load(): Promise<Catalog> {
    try {
      const names = await loadNames(this.#run);
      this.#epoch += 1;
      this.#current = new CatalogSnapshot(this.#target, this.#epoch, names, this.#labels, this.#lineage);
      return this.#current;
    } catch (cause) {
      this.#current = undefined;
      throw unavailable(cause);
    }
  }
}

function unavailable(cause: unknown): MeaningError {
  return new MeaningError(
    'catalog_unavailable',
    "the gateway cannot read the target's catalog, so nothing can be judged",
    {
      hint: 'Try again; if it persists, the operator should check the role and the connection used for the catalog.',
      cause,
    },
  );
}
