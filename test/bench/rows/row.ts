/**
 * What the benchmark measures: rows, each with a goal, in chapters that share the servers they need. A row says what is
 * done and hands back numbers; how they are repeated, checked against the recordings and shown is not its business.
 */
import type { Figure } from '../report/figure.ts';
import type { Goal } from '../report/goal.ts';
import type { Settings } from '../settings.ts';

export type Unit = 'ms' | '/s' | 'MiB/s' | 'KiB' | 'MiB' | '%';

/** What the rows of a chapter share. Whoever opened it closes it. */
export interface World {
  /** Compares what was recorded since the last time with what was sent. Gives every disagreement, for people. */
  check(): Promise<readonly string[]>;
  /** How many units were found in sealed recordings so far. */
  recorded(): number;
  /** Ends everything, then checks what can only be checked at the end. */
  close(): Promise<readonly string[]>;
}

export interface Outcome {
  readonly figures: readonly Figure[];
  /** What a reader of the figures should know. */
  readonly notes?: readonly string[];
  /** Instead of the row's goal, where its bound comes out of the measurement. */
  readonly goal?: Goal;
}

/** A row that cannot be measured here, and why. */
export interface Skipped {
  readonly skipped: string;
}

export interface Row<W extends World> {
  readonly id: string;
  readonly title: string;
  /** Exactly what is done; for the generated page. */
  readonly what: string;
  readonly unit: Unit;
  readonly goal: Goal;
  /** Whether `--quick` measures it. */
  readonly quick: boolean;
  /** Whether it is measured only when asked for by name, as it takes long. */
  readonly long?: boolean;
  measure(world: W, settings: Settings): Promise<Outcome | Skipped>;
}

export interface Chapter<W extends World> {
  readonly title: string;
  readonly rows: readonly Row<W>[];
  /** Starts what the rows need; or says why that cannot be had on this machine. */
  open(settings: Settings): Promise<W | Skipped>;
}
