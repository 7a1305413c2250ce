/** One result on its way to the client: masked by column, limited, recorded as the client sees it. */
import type { Session } from '@sluice/core/contract/session.ts';
import { type CopyMasker, createCopyMasker } from '../cells/copy-masker.ts';
import type { RowMasker } from '../cells/row-masker.ts';
import type { TypeLookup } from '../cells/shapes.ts';
import type { Column } from '../protocol/backend.ts';
import { readCommandTag } from '../protocol/backend.ts';
import { server } from '../protocol/codes.ts';
import { commandComplete, framed, problem } from '../protocol/messages.ts';
import type { ClientOutput } from './client-output.ts';
import type { StatementRun } from './owed.ts';
import { hidden, type ResultShape } from './result-shapes.ts';

export interface ResultPorts {
  readonly session: Session;
  readonly output: ClientOutput;
  readonly types: TypeLookup;
  shapeOf(run: StatementRun, columns: readonly Column[], formats: readonly number[]): ResultShape;
}

/** A masked COPY row is held whole; what a server calls a row beyond this ends the session. */
const largestMaskedRow = 268_435_456;
/** Of a message: its type and its length. */
const head = 5;
/** A row above this is framed by itself, so that it can be streamed. */
const largestInRun = 1_048_576;

export class Result {
  readonly #ports: ResultPorts;
  readonly #run: StatementRun;
  readonly #mask: RowMasker | undefined;
  readonly #columns: number;
  #copy: CopyMasker | undefined;
  #copies = false;
  #withheld = 0;
  /** Milliseconds. */
  #masking = 0;
  #withholding = false;

  constructor(ports: ResultPorts, run: StatementRun, columns: readonly Column[], formats: readonly number[]) {
    this.#ports = ports;
    this.#run = run;
    const shape = ports.shapeOf(run, columns, formats);
    this.#columns = shape.columns;
    this.#mask = shape.mask;
    ports.session.record({ type: 'shape', unit: run.unit, columns: shape.recorded });
  }

  /** Whether a row must be held whole before it can pass. */
  get masks(): boolean {
    return this.#mask !== undefined || this.#copy !== undefined;
  }

  /**
   * As many whole DataRow (of a COPY: CopyData) messages as lie behind each other from `at` on; returns where the next
   * message begins. Rows come by the million: nothing is made per row that is not sent or recorded.
   */
  run(bytes: Buffer, at: number): number {
    const type = this.#copies ? server.copyData : server.dataRow;
    if (this.#copy) return at;
    const begun = this.#mask ? performance.now() : 0;
    let next = at;
    while (next + head <= bytes.length && bytes[next] === type) {
      const length = bytes.readInt32BE(next + 1);
      const end = next + 1 + length;
      if (length < 4 || length > largestInRun || end > bytes.length) break;
      if (!this.#overLimit()) this.#pass(bytes, next, end);
      next = end;
    }
    if (this.#mask) this.#masking += performance.now() - begun;
    return next;
  }

  row(frame: Buffer): void {
    if (this.#copies) throw new RangeError('a row in the middle of a COPY');
    if (this.#overLimit()) return;
    const begun = this.#mask ? performance.now() : 0;
    this.#pass(frame, 0, frame.length);
    if (this.#mask) this.#masking += performance.now() - begun;
  }

  /** One message that is not withheld. Recorded before the client is given anything of it. */
  #pass(bytes: Buffer, start: number, end: number): void {
    const { session, output } = this.#ports;
    if (this.#mask) {
      const to = output.writer();
      const before = to.length;
      try {
        to.uint8(server.dataRow).int32(0);
        this.#mask(bytes, start + head, end, to);
        to.patchInt32(before + 1, to.length - before - 1);
        session.recordRow(to.bytesSoFar, before + head, to.length);
      } catch (error) {
        to.truncate(before);
        throw error;
      }
    } else if (this.#copies) {
      session.recordCell(bytes, start + head, end);
      output.passPart(bytes, start, end);
    } else {
      requireRow(bytes, start, end, this.#columns);
      session.recordRow(bytes, start + head, end);
      output.passPart(bytes, start, end);
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
    const masking = this.masks ? { masking: Math.round(this.#masking * 1_000) } : {};
    session.record({ type: 'complete', unit: this.#run.unit, tag, rows: 0, bytes: 0, digest: '', ...masking });
  }

  /** The client wanted no more rows for now (PortalSuspended); those that were withheld are told of all the same. */
  suspended(): void {
    if (this.#withheld > 0) this.#tellLimit();
  }

  startCopy(): void {
    this.#copies = true;
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
    if (!this.#copies) throw new RangeError('COPY data in the middle of a result');
    if (this.#overLimit()) return;
    if (!this.#copy) {
      this.#pass(frame, 0, frame.length);
      return;
    }
    const begun = performance.now();
    const body = this.#copy.push(frame.subarray(head));
    if (body.length > 0) this.#copyOut(body);
    this.#masking += performance.now() - begun;
  }

  copyDone(frame: Buffer): void {
    this.#copy?.end();
    this.#ports.output.pass(frame);
  }

  /** A part of a message too large to hold; nothing in it is masked. */
  piece(bytes: Buffer, first: boolean): void {
    if (first) this.#withholding = this.#overLimit();
    if (this.#withholding) return;
    this.#ports.session.recordCell(bytes);
    this.#ports.output.pass(bytes);
  }

  #tellLimit(): void {
    const { session, output } = this.#ports;
    const { unit, given } = this.#run;
    output.write(limitNotice(this.#run, this.#withheld));
    session.record({ type: 'event', name: 'row_limit', detail: { unit, given: given.rows, withheld: this.#withheld } });
  }

  #copyOut(bytes: Uint8Array): void {
    this.#ports.session.recordCell(bytes);
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
function requireRow(bytes: Buffer, start: number, end: number, columns: number): void {
  if (end - start < head + 2 || bytes.readUInt16BE(start + head) !== columns) {
    throw new RangeError('a row with other columns than told');
  }
  let at = start + head + 2;
  for (let left = columns; left > 0; left--) {
    if (at + 4 > end) throw new RangeError('a row shorter than it says');
    const length = bytes.readInt32BE(at);
    if (length < -1) throw new RangeError('a cell with an impossible length');
    at += length === -1 ? 4 : 4 + length;
  }
  if (at !== end) throw new RangeError('a row of another length than its cells');
}

function limitNotice(run: StatementRun, withheld: number): Buffer {
  return problem({
    severity: 'NOTICE',
    code: '01000',
    message: `Policy limits this result to ${run.rowLimit ?? 0} rows; ${withheld} more were withheld.`,
    hint: 'Narrow the query, or page through it with WHERE.',
  });
}
