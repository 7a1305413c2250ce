import type { RecordedColumn } from '@sluice/core/domain/recording-event.ts';
import { toHex } from '@sluice/core/recording/format.ts';
import { rowsOf } from '@sluice/core/recording/row-cells.ts';
import { visible } from '../terminal/visible.ts';

const widest = 48;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A result as lines of a table. Rows come in batches: the first one decides how wide the columns are. */
export class ResultTable {
  readonly #columns: readonly RecordedColumn[];
  #widths: readonly number[] | undefined;

  constructor(columns: readonly RecordedColumn[]) {
    this.#columns = columns;
  }

  /** The lines of these rows; before the first ones the head. */
  rows(cells: Uint8Array): string[] {
    const rows = [...rowsOf(cells)].map((row) => row.map((cell, column) => this.#text(cell, column)));
    const head = this.#widths ? [] : this.#head(rows);
    return [...head, ...rows.map((row) => this.#line(row))];
  }

  /** The head, when there were no rows to put it over. */
  end(): string[] {
    return this.#widths ? [] : this.#head([]);
  }

  #head(rows: readonly (readonly string[])[]): string[] {
    const names = this.#columns.map(({ name, masked }) => short(visible(name) + (masked?.length ? ' (masked)' : '')));
    const columns = Math.max(names.length, ...rows.slice(0, 1).map((row) => row.length));
    this.#widths = Array.from({ length: columns }, (_, column) =>
      rows.reduce((most, row) => Math.max(most, width(row[column] ?? '')), width(names[column] ?? '')),
    );
    if (columns === 0) return [];
    return [this.#line(names), this.#widths.map((size) => '-'.repeat(size + 2)).join('+')];
  }

  #line(texts: readonly string[]): string {
    const cells = texts.map((text, column) => ` ${text}${' '.repeat(this.#padding(text, column))} `);
    return cells.join('|').trimEnd();
  }

  #padding(text: string, column: number): number {
    return Math.max((this.#widths?.[column] ?? 0) - width(text), 0);
  }

  #text(cell: Uint8Array | null, column: number): string {
    if (cell === null) return '(null)';
    if (this.#columns[column]?.format !== 'binary') {
      try {
        return short(visible(utf8.decode(cell)));
      } catch {
        // Not text after all: shown as bytes.
      }
    }
    return short(`\\x${toHex(cell.subarray(0, widest))}`);
  }
}

function short(text: string): string {
  const signs = [...text];
  return signs.length <= widest ? text : `${signs.slice(0, widest - 1).join('')}…`;
}

function width(text: string): number {
  return [...text].length;
}
