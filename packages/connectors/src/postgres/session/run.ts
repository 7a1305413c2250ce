import type { Allowed } from '@sluice/core/contract/session.ts';
import type { StatementMeaning } from '../meaning/statement.ts';
import type { StatementRun } from './owed.ts';

/** An allowed statement with what must be done to its answer. */
export function runOf(meaning: StatementMeaning, allowed: Allowed): StatementRun {
  let rowLimit: number | undefined;
  for (const obligation of allowed.obligations) {
    if (obligation.kind === 'limit_rows') rowLimit = Math.min(rowLimit ?? obligation.rows, obligation.rows);
  }
  return {
    meaning,
    unit: allowed.handle.seq,
    masked: allowed.masked,
    asked: asked(meaning.labels),
    rowLimit,
    given: { rows: 0 },
  };
}

const sets = new WeakMap<readonly string[], ReadonlySet<string>>();

/** The labels of a meaning that was kept are the same list each time. */
function asked(labels: readonly string[]): ReadonlySet<string> {
  let set = sets.get(labels);
  if (set === undefined) {
    set = new Set(labels);
    sets.set(labels, set);
  }
  return set;
}
