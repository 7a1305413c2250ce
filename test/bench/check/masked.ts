import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { encodeRow } from '@sluice/core/recording/row-cells.ts';

/** How the rows came: as cells of a result, or as the lines of a COPY. */
export type RowForm = 'cells' | 'lines';

export interface Masked {
  /** The digest that a recording has of these rows. */
  readonly digest: string;
  readonly rows: number;
}

/**
 * Compares two files with the same rows, tabs between the cells, one straight from the database and one through the
 * gateway: the columns named by `hidden` must differ in every row, and all others must not. Throws at the first row
 * where that is not so, without telling the value.
 */
export async function compareRows(
  clear: string,
  masked: string,
  hidden: readonly number[],
  form: RowForm,
): Promise<Masked> {
  const digest = createHash('sha256');
  const expected = lines(clear);
  let rows = 0;
  for await (const line of lines(masked)) {
    const { value: original, done } = await expected.next();
    if (done) throw new Error(`the gateway gave more rows than the ${rows} that there are`);
    compareRow(original.split('\t'), line.split('\t'), hidden, rows);
    const cells = form === 'lines' ? [`${line}\n`] : line.split('\t');
    digest.update(encodeRow(cells.map((cell) => Buffer.from(cell, 'utf8'))));
    rows++;
  }
  if (!(await expected.next()).done) throw new Error(`the gateway gave only ${rows} rows`);
  return { digest: digest.digest('hex'), rows };
}

function compareRow(clear: readonly string[], masked: readonly string[], hidden: readonly number[], row: number): void {
  if (clear.length !== masked.length) throw new Error(`row ${row} has ${masked.length} columns`);
  for (const [column, value] of clear.entries()) {
    const same = masked[column] === value;
    // A mask may keep a part of a value; it must not keep all of it, nor hold it.
    if (hidden.includes(column) ? same || masked[column]?.includes(value) : !same) {
      throw new Error(`column ${column} of row ${row} is ${same ? 'not masked' : 'not what the database has'}`);
    }
  }
}

async function* lines(path: string): AsyncGenerator<string, void> {
  yield* createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Infinity });
}
