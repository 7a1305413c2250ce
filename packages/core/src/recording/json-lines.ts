import type { Entry } from './entry.ts';
import { toHex } from './format.ts';
import type { ReplayItem } from './replay-reader.ts';
import { rowsOf } from './row-cells.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A cell as JSON: its text, or `{ "hex": … }` for bytes that are no text. */
type CellJson = string | null | { readonly hex: string };

/** Turns events into objects for JSON; follows the shapes, so that it knows which columns are binary. */
export class JsonEvents {
  #binary: readonly boolean[] = [];

  item(item: ReplayItem): object {
    if (item.kind === 'entry') return this.of(item.entry);
    const { number, offset, bytes, reason, problem } = item.unreadable;
    return { n: number, type: 'unreadable', offset, bytes, reason, problem };
  }

  /** `n` is the event's number, `t` its time in microseconds since the start of the session. */
  of(entry: Entry): object {
    const { event } = entry;
    const place = { n: entry.number, t: entry.time };
    switch (event.type) {
      case 'shape':
        this.#binary = event.columns.map((column) => column.format === 'binary');
        return { ...place, ...event, ...place };
      case 'rows':
        return { ...place, type: 'rows', count: event.count, rows: this.#rows(event.cells) };
      case 'terminal':
      case 'input':
      case 'output':
        return { ...place, ...event, ...place, data: textOrHex(event.data) };
      case 'seal':
        return { ...place, type: 'seal', keyId: event.keyId, events: event.events, signature: toHex(event.signature) };
      default:
        return { ...place, ...event, ...place };
    }
  }

  #rows(cells: Uint8Array): CellJson[][] {
    const rows: CellJson[][] = [];
    for (const row of rowsOf(cells)) {
      rows.push(
        row.map((cell, column) => {
          if (cell === null) return null;
          return this.#binary[column] ? { hex: toHex(cell) } : textOrHex(cell);
        }),
      );
    }
    return rows;
  }
}

function textOrHex(bytes: Uint8Array): string | { readonly hex: string } {
  try {
    return utf8.decode(bytes);
  } catch {
    return { hex: toHex(bytes) };
  }
}

/** One line of JSON per event, in order. A part that can't be read becomes a line of the type `unreadable`. */
export async function* toJsonLines(items: AsyncIterable<ReplayItem>): AsyncGenerator<string> {
  const json = new JsonEvents();
  for await (const item of items) yield `${JSON.stringify(json.item(item))}\n`;
}
