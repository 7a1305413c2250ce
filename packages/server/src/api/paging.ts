/** Rows looked through for one page before it is given out short: bounds the work of a caller who may see little. */
const mostScanned = 2000;

export interface Page<T> {
  readonly items: T[];
  /** Cursor of the following page; absent at the end. */
  readonly next?: string;
}

/**
 * One page of those rows that the caller may see, newest first. Visibility is asked per object, so pages are filled
 * by looking through the source in batches. The cursor is a time in Unix milliseconds; rows of one and the same
 * millisecond are never split between pages, which is why a page can be longer than asked.
 */
export async function pageOf<T>(options: {
  readonly limit: number;
  readonly before: number | undefined;
  fetch(limit: number, before: number | undefined): Promise<readonly T[]>;
  visible(rows: readonly T[]): T[];
  at(row: T): number;
}): Promise<Page<T>> {
  const { limit, fetch, visible, at } = options;
  const batch = Math.min(Math.max(limit * 2, 50), 500);
  const items: T[] = [];
  let before = options.before;
  let scanned = 0;
  for (;;) {
    const rows = await fetch(batch, before);
    const last = rows[rows.length - 1];
    if (last === undefined) return { items };
    scanned += rows.length;
    const complete = rows.length < batch;
    // The last millisecond of a full batch may go on in the next one: leave it whole for that.
    const whole = complete ? rows : beforeLastMoment(rows, at);
    for (const moment of moments(whole.length > 0 ? whole : rows, at)) {
      items.push(...visible(moment));
      before = at(moment[0] as T);
      if (items.length >= limit) {
        const more = !complete || before !== at(last);
        return more ? { items, next: String(before) } : { items };
      }
    }
    if (complete) return { items };
    if (scanned >= mostScanned && before !== undefined) return { items, next: String(before) };
  }
}

function beforeLastMoment<T>(rows: readonly T[], at: (row: T) => number): readonly T[] {
  const last = rows[rows.length - 1];
  if (last === undefined) return rows;
  return rows.slice(
    0,
    rows.findIndex((row) => at(row) === at(last)),
  );
}

function* moments<T>(rows: readonly T[], at: (row: T) => number): Generator<readonly T[]> {
  let start = 0;
  for (let i = 1; i <= rows.length; i++) {
    const row = rows[i];
    if (row !== undefined && at(row) === at(rows[start] as T)) continue;
    if (i > start) yield rows.slice(start, i);
    start = i;
  }
}
