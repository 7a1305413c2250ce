/** One result on its way to the client: masked by column, limited, recorded as the client sees it. */
import type { Session } from '@sluice/core/contract/session.ts';
import { type CopyMasker, createCopyMasker } from '../cells/copy-masker.ts';
import { createRowMasker, type RowMasker } from '../cells/row-masker.ts';
import type { TypeLookup } from '../cells/shapes.ts';
import type { Column } from '../protocol/backend.ts';
import { readCommandTag } from '../protocol/backend.ts';
import { server } from '../protocol/codes.ts';
import { commandComplete, dataRow, framed, problem } from '../protocol/messages.ts';
import type { ClientOutput } from './client-output.ts';
import type { StatementRun } from './owed.ts';

export interface ResultPorts {
  readonly session: Session;
  readonly output: ClientOutput;
  readonly types: TypeLookup;
  /** Labels of one described column, whatever its way into the result. */
  columnLabels(column: Column, run: StatementRun): readonly string[];
  /** Whether a labelled column was computed from labelled values, so that nothing of it may show. */
  isComputed(column: Column): boolean;
  typeName(oid: number): string;
}

/** A masked COPY row is held whole; what a server calls a row beyond this ends the session. */
const largestMaskedRow = 268_435_456;

export class Result {
  readonly #ports: ResultPorts;
  readonly #run: StatementRun;
  readonly #mask: RowMasker | undefined;
  readonly #columns: number;
  #copy: CopyMasker | undefined;
  #withheld = 0;
  #withholding = false;

  constructor(ports: ResultPorts, run: StatementRun, columns: readonly Column[], formats: readonly number[]) {
    this.#ports = ports;
    this.#run = run;
    this.#columns = columns.length;
    const described = columns.map((column, index) => {
      const labels = ports.columnLabels(column, run);
      const format = (formats.length === 1 ? formats[0] : formats[index]) ?? column.format;
      return { column, format, labels: hidden(labels, run) };
    });
    const looks = columns.length > 0 && ports.session.masker.look !== undefined;
    if (looks || described.some(({ labels }) => labels.length > 0)) {
      this.#mask = createRowMasker(
        described.map(({ column, format, labels }) => ({
          oid: column.type,
          typmod: column.typmod,
          format: format === 1 ? 1 : 0,
          labels,
          computed: labels.length > 0 && ports.isComputed(column),
        })),
        ports.session.masker,
        ports.types,
      );
    }
    ports.session.record({
      type: 'shape',
      unit: run.unit,
      columns: described.map(({ column, format, labels }) => ({
        name: column.name,
        type: ports.typeName(column.type),
        format: format === 1 ? 'binary' : 'text',
        ...(labels.length > 0 ? { masked: labels } : {}),
      })),
    });
  }

  /** Whether a row must be held whole before it can pass. */
  get masks(): boolean {
    return this.#mask !== undefined || this.#copy !== undefined;
  }

  row(frame: Buffer): void {
    if (this.#overLimit()) return;
    const { session, output } = this.#ports;
    if (this.#mask) {
      const body = this.#mask(frame.subarray(5));
      session.recordRow(body);
      output.write(dataRow(body));
    } else {
      requireRow(frame, this.#columns);
      session.recordRow(frame.subarray(5));
      output.pass(frame);
    }
  }

  /** The end of the result: the tag tells the client's count, not the server's. */
  complete(frame: Buffer): void {
    const { session, output } = this.#ports;
    const tag = readCommandTag(frame);
    if (this.#withheld === 0) {
      output.pass(frame);
    } else {
      this.#tellLimit();
      output.write(commandComplete(tag.replace(/\d+$/, String(this.#run.given.rows))));
    }
    session.record({ type: 'complete', unit: this.#run.unit, tag, rows: 0, bytes: 0, digest: '' });
  }

  /** The client wanted no more rows for now (PortalSuspended); those that were withheld are told of all the same. */
  suspended(): void {
    if (this.#withheld > 0) this.#tellLimit();
  }

  startCopy(): void {
    const copy = this.#run.meaning.copy;
    const columns = copy?.columns.map((column) => ({ ...column, labels: hidden(column.labels, this.#run) })) ?? [];
    const { masker } = this.#ports.session;
    if (copy && (masker.look !== undefined || columns.some(({ labels }) => labels.length > 0))) {
      this.#copy = createCopyMasker({ ...copy, columns }, masker, {
        maxRow: largestMaskedRow,
        types: this.#ports.types,
      });
    }
  }

  /** One CopyData message. In text and CSV the server sends one row per message. */
  copyData(frame: Buffer): void {
    if (this.#overLimit()) return;
    const { session, output } = this.#ports;
    if (this.#copy) {
      const body = this.#copy.push(frame.subarray(5));
      if (body.length > 0) this.#copyOut(body);
    } else {
      session.recordRow(oneCell(frame.subarray(5)));
      output.pass(frame);
    }
  }

  copyDone(frame: Buffer): void {
    this.#copy?.end();
    this.#ports.output.pass(frame);
  }

  /** A part of a message too large to hold; nothing in it is masked. */
  piece(bytes: Buffer, first: boolean): void {
    if (first) this.#withholding = this.#overLimit();
    if (this.#withholding) return;
    this.#ports.session.recordRow(oneCell(bytes));
    this.#ports.output.pass(bytes);
  }

  #tellLimit(): void {
    const { session, output } = this.#ports;
    const { unit, given } = this.#run;
    output.write(limitNotice(this.#run, this.#withheld));
    session.record({ type: 'event', name: 'row_limit', detail: { unit, given: given.rows, withheld: this.#withheld } });
  }

  #copyOut(bytes: Uint8Array): void {
    this.#ports.session.recordRow(oneCell(bytes));
    this.#ports.output.write(framed(server.copyData, bytes));
  }

  #overLimit(): boolean {
    const run = this.#run;
    if (run.rowLimit !== undefined && run.given.rows >= run.rowLimit) {
      this.#withheld++;
      return true;
    }
    run.given.rows++;
    return false;
  }
}

/** A row that is not what it says would make every row behind it in the recording unreadable, too. */
function requireRow(frame: Buffer, columns: number): void {
  if (frame.length < 7 || frame.readUInt16BE(5) !== columns) throw new RangeError('a row with other columns than told');
  let at = 7;
  for (let left = columns; left > 0; left--) {
    const length = frame.readInt32BE(at);
    if (length < -1) throw new RangeError('a cell with an impossible length');
    at += length === -1 ? 4 : 4 + length;
  }
  if (at !== frame.length) throw new RangeError('a row of another length than its cells');
}

/** Labels that must be masked: those the principal may not see, and those nobody was asked about. */
export function hidden(labels: readonly string[], run: StatementRun): readonly string[] {
  return labels.filter((label) => run.masked.has(label) || !run.asked.has(label));
}

/** A row of one cell, in the layout of the recording's `rows` event. */
function oneCell(bytes: Uint8Array): Uint8Array {
  const row = Buffer.allocUnsafe(6 + bytes.length);
  row.writeUInt16BE(1, 0);
  row.writeInt32BE(bytes.length, 2);
  row.set(bytes, 6);
  return row;
}

function limitNotice(run: StatementRun, withheld: number): Buffer {
  return problem({
    severity: 'NOTICE',
    code: '01000',
    message: `Policy limits this result to ${run.rowLimit ?? 0} rows; ${withheld} more were withheld.`,
    hint: 'Narrow the query, or page through it with WHERE.',
  });
}
