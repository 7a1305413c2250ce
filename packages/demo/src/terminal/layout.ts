import { harmless } from './ink.ts';

/** Breaks at blanks so that no line is wider than `width`; words longer than that are broken where they have to be. */
export function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    let line = '';
    for (const word of paragraph.split(' ').flatMap((whole) => pieces(whole, width))) {
      if (line !== '' && displayWidth(line) + 1 + displayWidth(word) > width) {
        lines.push(line);
        line = word;
      } else line = line === '' ? word : `${line} ${word}`;
    }
    lines.push(line);
  }
  return lines;
}

/** JSON with blanks where a line may be broken; any other text as it is. */
export function looseJson(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 1).replaceAll(/\n */g, ' ');
  } catch {
    return text;
  }
}

function pieces(word: string, width: number): readonly string[] {
  if (word.length <= width) return [word];
  const signs = [...word];
  return Array.from({ length: Math.ceil(signs.length / width) }, (_, index) =>
    signs.slice(index * width, (index + 1) * width).join(''),
  );
}

export type Cell = string | number | boolean | Date | null | undefined | object;

/** Rows as aligned columns with a heading, at most `limit` of them. */
export function table(rows: readonly Readonly<Record<string, Cell>>[], limit: number): readonly string[] {
  const [first] = rows;
  if (!first) return ['(no rows)'];
  const names = Object.keys(first);
  const shown = rows.slice(0, limit).map((row) => names.map((name) => shorten(cellText(row[name]))));
  const widths = names.map((name, column) =>
    Math.max(displayWidth(name), ...shown.map((cells) => displayWidth(cells[column] ?? ''))),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => pad(cell, widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const more = rows.length > limit ? [`… ${rows.length - limit} more`] : [];
  return [line(names), ...shown.map(line), ...more];
}

function cellText(value: Cell): string {
  if (value === null || value === undefined) return '∅';
  if (value instanceof Date) return value.toISOString().slice(0, 16).replace('T', ' ');
  return harmless(typeof value === 'object' ? JSON.stringify(value) : String(value)).replaceAll('\n', ' ');
}

const widest = 72;

function shorten(text: string): string {
  return text.length <= widest ? text : `${text.slice(0, widest - 1)}…`;
}

function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - displayWidth(text)));
}

/** Columns a text takes in a terminal: East Asian wide characters take two, combining marks none. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const sign of text) {
    if (/^\p{M}$/u.test(sign)) continue;
    width += /^[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6]$/u.test(
      sign,
    )
      ? 2
      : 1;
  }
  return width;
}
