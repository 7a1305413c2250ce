import { visible } from './visible.ts';

export interface Column<T> {
  readonly title: string;
  /** Untrusted text is fine: it is made visible here. */
  text(row: T): string;
  /** Applied after padding. */
  paint?(text: string, row: T): string;
}

/** Lines of a table without rules; the last column is not padded. */
export function table<T>(columns: readonly Column<T>[], rows: readonly T[], bold: (text: string) => string): string[] {
  const cells = rows.map((row) => columns.map((column) => visible(column.text(row))));
  const widths = columns.map((column, i) =>
    Math.max(column.title.length, ...cells.map((line) => width(line[i] ?? ''))),
  );
  const pad = (text: string, i: number): string =>
    i === columns.length - 1 ? text : text + ' '.repeat(Math.max(0, (widths[i] ?? 0) - width(text)));
  const head = columns.map((column, i) => bold(pad(column.title, i))).join('  ');
  const body = rows.map((row, r) =>
    columns
      .map((column, i) => {
        const text = pad(cells[r]?.[i] ?? '', i);
        return column.paint ? column.paint(text, row) : text;
      })
      .join('  '),
  );
  return [head, ...body];
}

/** Lines of `name  value`, the names padded to one width. Values are taken as they are. */
export function fields(pairs: readonly (readonly [string, string])[], dim: (text: string) => string): string[] {
  const longest = Math.max(0, ...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${dim(name.padEnd(longest))}  ${value}`);
}

function width(text: string): number {
  return [...text].length;
}
