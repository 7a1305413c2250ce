import type { AnyEvent } from './entry.ts';
import { toHex } from './format.ts';
import type { RunningDigest, StartDigest } from './ports.ts';

/** Follows results that have rows, and compares each one's totals with them. */
export class ResultCheck {
  readonly #startDigest: StartDigest;
  #digest: RunningDigest | undefined;
  #rows = 0;
  #bytes = 0;
  #capped = false;

  constructor(startDigest: StartDigest) {
    this.#startDigest = startDigest;
  }

  /** What is wrong with a `complete` event; undefined when nothing is. */
  next(event: AnyEvent): string | undefined {
    switch (event.type) {
      case 'shape':
      case 'error':
        this.#reset();
        return undefined;
      case 'rows':
        this.#digest ??= this.#startDigest();
        this.#digest.update(event.cells);
        this.#rows += event.count;
        this.#bytes += event.cells.length;
        return undefined;
      case 'capped': {
        if (event.unit !== undefined) return undefined;
        this.#capped = true;
        const { afterRows, afterBytes } = event;
        if (afterRows === this.#rows && afterBytes === this.#bytes) return undefined;
        return `rows stop being kept after ${this.#rows}, the event says after ${afterRows}`;
      }
      case 'complete': {
        const digest = toHex((this.#digest ?? this.#startDigest()).digest());
        const problem = this.#compare(event.rows, event.bytes, event.digest, digest);
        this.#reset();
        return problem;
      }
      default:
        return undefined;
    }
  }

  /** After damage nothing is known about the result under way. */
  lost(): void {
    this.#reset();
    this.#capped = true;
  }

  #compare(rows: number, bytes: number, digest: string, own: string): string | undefined {
    if (this.#capped) {
      return rows < this.#rows || bytes < this.#bytes ? 'the result claims fewer rows than are kept of it' : undefined;
    }
    if (rows !== this.#rows || bytes !== this.#bytes) return `the result claims ${rows} rows and holds ${this.#rows}`;
    return digest === own ? undefined : 'the digest of the result is not that of its rows';
  }

  #reset(): void {
    this.#digest = undefined;
    this.#rows = 0;
    this.#bytes = 0;
    this.#capped = false;
  }
}
