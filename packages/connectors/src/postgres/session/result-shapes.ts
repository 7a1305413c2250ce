/**
 * What a result's description comes to: which columns are masked, and how, and what the recording says of them. Results
 * of a statement that comes again are the same in all that, so what was found is kept for the session's last ones.
 */
import type { CellMasker } from '@sluice/core/contract/labels.ts';
import type { RecordedColumn } from '@sluice/core/domain/recording-event.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { createRowMasker, type RowMasker } from '../cells/row-masker.ts';
import type { StatementMeaning } from '../meaning/statement.ts';
import { type Column, readRowDescription } from '../protocol/backend.ts';
import type { StatementRun } from './owed.ts';

export interface ResultShape {
  readonly columns: number;
  /** Absent where every row passes as it is. */
  readonly mask?: RowMasker;
  readonly recorded: readonly RecordedColumn[];
}

export interface ShapePorts {
  readonly masker: CellMasker;
  catalog(): Catalog;
  /** Labels of one described column, whatever its way into the result. */
  columnLabels(column: Column, run: StatementRun): readonly string[];
}

interface Kept {
  /** Of the last RowDescription, for who has only its bytes. */
  description?: { readonly frame: Buffer; readonly columns: readonly Column[] };
  shape?: { readonly shape: ResultShape } & Grounds;
}

/** All that a shape follows from, beside the meaning it is kept under. */
interface Grounds {
  readonly columns: readonly Column[];
  readonly formats: readonly number[];
  /** Of the catalog. The catalog itself is large, and a session that idles would keep it when all others have a newer one. */
  readonly epoch: number;
  readonly masked: ReadonlySet<string>;
}

const mostKept = 32;

export class ResultShapes {
  readonly #ports: ShapePorts;
  readonly #kept = new Map<StatementMeaning, Kept>();

  constructor(ports: ShapePorts) {
    this.#ports = ports;
  }

  /** The columns of a RowDescription; the same list as before when it is, byte for byte, the one before. */
  columnsOf(meaning: StatementMeaning, frame: Buffer): readonly Column[] {
    const kept = this.#of(meaning);
    if (kept.description?.frame.equals(frame)) return kept.description.columns;
    const columns = readRowDescription(frame);
    kept.description = { frame: Buffer.from(frame), columns };
    return columns;
  }

  shapeOf(run: StatementRun, columns: readonly Column[], formats: readonly number[]): ResultShape {
    const kept = this.#of(run.meaning);
    const grounds = { columns, formats, epoch: this.#ports.catalog().epoch, masked: run.masked };
    if (kept.shape && isSame(kept.shape, grounds)) return kept.shape.shape;
    const shape = this.#find(run, columns, formats);
    kept.shape = { shape, ...grounds };
    return shape;
  }

  #of(meaning: StatementMeaning): Kept {
    const key = meaning.model ?? meaning;
    let kept = this.#kept.get(key);
    if (kept === undefined) {
      if (this.#kept.size >= mostKept) this.#kept.clear();
      kept = {};
      this.#kept.set(key, kept);
    }
    return kept;
  }

  #find(run: StatementRun, columns: readonly Column[], formats: readonly number[]): ResultShape {
    const { masker, catalog, columnLabels } = this.#ports;
    const names = catalog();
    const described = columns.map((column, index) => {
      const format = (formats.length === 1 ? formats[0] : formats[index]) ?? column.format;
      return { column, format, labels: hidden(columnLabels(column, run), run) };
    });
    const recorded = described.map(
      ({ column, format, labels }): RecordedColumn => ({
        name: column.name,
        type: names.typeByOid(column.type)?.name ?? String(column.type),
        format: format === 1 ? 'binary' : 'text',
        ...(labels.length > 0 ? { masked: labels } : {}),
      }),
    );
    const looks = columns.length > 0 && masker.look !== undefined;
    if (!looks && !described.some(({ labels }) => labels.length > 0)) return { columns: columns.length, recorded };
    const mask = createRowMasker(
      described.map(({ column, format, labels }) => ({
        oid: column.type,
        typmod: column.typmod,
        format: format === 1 ? 1 : 0,
        labels,
        // Computed from labelled values, so that nothing of it may show.
        computed: labels.length > 0 && (column.table === 0 || names.columnComputed(column.table, column.attribute)),
      })),
      masker,
      (oid) => names.typeByOid(oid),
    );
    return { columns: columns.length, recorded, mask };
  }
}

/** Labels that must be masked: those the principal may not see, and those nobody was asked about. */
export function hidden(labels: readonly string[], run: StatementRun): readonly string[] {
  return labels.filter((label) => run.masked.has(label) || !run.asked.has(label));
}

function isSame(kept: Grounds, now: Grounds): boolean {
  return (
    kept.columns === now.columns &&
    kept.epoch === now.epoch &&
    kept.formats.length === now.formats.length &&
    kept.formats.every((format, index) => format === now.formats[index]) &&
    (kept.masked === now.masked ||
      (kept.masked.size === now.masked.size && [...kept.masked].every((label) => now.masked.has(label))))
  );
}
