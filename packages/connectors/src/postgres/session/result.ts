/** One result on its way to the client: masked by column, limited, recorded as the client sees it. */
import type { Session } from '@sluice/core/contract/session.ts';
import { type ByteWriter, int32, putInt32 } from '../../wire/byte-writer.ts';
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
/** Rows that are recorded by one call, and the bytes behind which no more are added to them. */
const mostInGroup = 256;
const largestGroup = 16_384;
/** Where the rows of the group at hand lie: filled and read within one call, and so for all sessions. */
const places = { bounds: new Uint32Array(2 * mostInGroup), count: 0 };

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
   * message begins. Rows come by the million: nothing is made per row, and they are recorded by the hundred.
   */
  run(bytes: Buffer, at: number): number {
    const begun = this.masks ? performance.now() : 0;
    let next = at;
    for (let from = -1; from !== next; ) {
      from = next;
      next = this.#mayGive() ? this.#group(bytes, from) : this.#withhold(bytes, from);
    }
    if (this.masks) this.#masking += performance.now() - begun;
    return next;
  }

  row(frame: Buffer): void {
    if (this.#copies) throw new RangeError('a row in the middle of a COPY');
    if (this.#overLimit()) return;
    const begun = this.#mask ? performance.now() : 0;
    this.#pass(frame);
    if (this.#mask) this.#masking += performance.now() - begun;
  }

  /** One message that is not withheld. Recorded before the client is given anything of it. */
  #pass(frame: Buffer): void {
    places.count = 0;
    const to = this.masks ? this.#ports.output.writer(frame.length) : undefined;
    const before = to?.length ?? 0;
    this.#take(frame, 0, frame.length, to);
    this.#give(frame, 0, frame.length, to, before);
  }

  /** Some of the messages that lie behind each other, as far as they are whole, of the result, and not withheld. */
  #group(bytes: Buffer, at: number): number {
    const { given, rowLimit } = this.#run;
    const type = this.#copies ? server.copyData : server.dataRow;
    const most = Math.min(mostInGroup, rowLimit === undefined ? mostInGroup : rowLimit - given.rows);
    places.count = 0;
    // A result that was long so far goes on, whatever there is of it in this chunk.
    const expected = given.rows > mostInGroup ? largestGroup : bytes.length - at;
    const to = this.masks ? this.#ports.output.writer(expected) : undefined;
    const before = to?.length ?? 0;
    let next = at;
    try {
      while (places.count < most && next - at < largestGroup) {
        const end = endOf(bytes, next, type);
        if (end < 0 || !this.#take(bytes, next, end, to)) break;
        given.rows++;
        next = end;
      }
    } finally {
      this.#give(bytes, at, next, to, before);
    }
    return next;
  }

  #withhold(bytes: Buffer, at: number): number {
    const type = this.#copies ? server.copyData : server.dataRow;
    let next = at;
    for (let end = endOf(bytes, at, type); end >= 0; end = endOf(bytes, next, type)) {
      this.#withheld++;
      next = end;
    }
    return next;
  }

  /** Notes where a row's bytes are for the recording; with a writer, masks it there. False: not in this way. */
  #take(bytes: Buffer, start: number, end: number, to: ByteWriter | undefined): boolean {
    const { bounds, count } = places;
    if (to === undefined) {
      if (!this.#copies) requireRow(bytes, start, end, this.#columns);
      bounds[count * 2] = start + head;
      bounds[count * 2 + 1] = end;
    } else {
      const before = to.length;
      try {
        to.reserve(head)[before] = this.#copies ? server.copyData : server.dataRow;
        to.wrote(before + head);
        if (this.#mask) this.#mask(bytes, start + head, end, to);
        else if (!this.#copy?.row(bytes, start + head, end, to)) {
          to.wrote(before);
          return false;
        }
      } catch (error) {
        to.wrote(before);
        throw error;
      }
      putInt32(to.bytesSoFar, before + 1, to.length - before - 1);
      bounds[count * 2] = before + head;
      bounds[count * 2 + 1] = to.length;
    }
    places.count++;
    return true;
  }

  /** Records what was taken, and only then lets the client have it. */
  #give(bytes: Buffer, start: number, end: number, to: ByteWriter | undefined, before: number): void {
    const { session, output } = this.#ports;
    if (places.count === 0) return;
    const shown = to?.bytesSoFar ?? bytes;
    try {
      if (this.#copies) session.recordCells(shown, places);
      else session.recordRows(shown, places);
    } catch (error) {
      to?.wrote(before);
      throw error;
    }
    if (to === undefined) output.passPart(bytes, start, end);
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
      this.#pass(frame);
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
    this.#ports.session.recordCells(bytes);
    this.#ports.output.pass(bytes);
  }

  #tellLimit(): void {
    const { session, output } = this.#ports;
    const { unit, given } = this.#run;
    output.write(limitNotice(this.#run, this.#withheld));
    session.record({ type: 'event', name: 'row_limit', detail: { unit, given: given.rows, withheld: this.#withheld } });
  }

  #copyOut(bytes: Uint8Array): void {
    this.#ports.session.recordCells(bytes);
    this.#ports.output.write(framed(server.copyData, bytes));
  }

  #overLimit(): boolean {
    if (this.#mayGive()) {
      this.#run.given.rows++;
      return false;
    }
    this.#withheld++;
    return true;
  }

  #mayGive(): boolean {
    const { rowLimit, given } = this.#run;
    return rowLimit === undefined || given.rows < rowLimit;
  }
}

/** Where the whole message of the type that begins at `at` ends; -1 where there is none, or none of an ordinary length. */
function endOf(bytes: Buffer, at: number, type: number): number {
  if (at + head > bytes.length || bytes[at] !== type) return -1;
  const length = int32(bytes, at + 1);
  const end = at + 1 + length;
  return length < 4 || length > largestInRun || end > bytes.length ? -1 : end;
}

/** A row that is not what it says would make every row behind it in the recording unreadable, too. */
function requireRow(bytes: Buffer, start: number, end: number, columns: number): void {
  if (
    end - start < head + 2 ||
    (((bytes[start + head] as number) << 8) | (bytes[start + head + 1] as number)) !== columns
  ) {
    throw new RangeError('a row with other columns than told');
  }
  let at = start + head + 2;
  for (let left = columns; left > 0; left--) {
    if (at + 4 > end) throw new RangeError('a row shorter than it says');
    const length = int32(bytes, at);
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
