// Cells: the rows, COPY rows and messages of an answer, with the labelled values in them replaced. This folder knows
// how PostgreSQL writes a value in each of its formats. It neither knows which columns bear a label (meaning and
// catalog tell) nor what a mask looks like (the masker it is handed does), and it sees bodies, not messages.

import type { CellMasker } from '@sluice/core/contract/labels.ts';
import { type ByteWriter, copyBytes, int32, putInt32 } from '../../wire/byte-writer.ts';
import { type CellColumn, growthOf, maskCells } from './cell-codec.ts';
import type { TypeLookup } from './shapes.ts';

/** Takes the body of a DataRow, which lies from `start` to `end`, and writes the one to send instead. */
export type RowMasker = (bytes: Buffer, start: number, end: number, to: ByteWriter) => void;

/**
 * Rewrites bodies of DataRow messages of one result ("Message Formats": int16 count, then per cell an int32 length,
 * -1 for null, and the bytes). Clear cells are copied in runs, byte for byte and without being looked at; nulls stay
 * null, but for those of computed columns. Throws `RangeError` for a malformed body, and what the masker throws: then
 * nothing of the result may be passed on, and the caller takes back what was written of the row.
 */
export function createRowMasker(columns: readonly CellColumn[], masker: CellMasker, lookup?: TypeLookup): RowMasker {
  const plan = maskCells(columns, masker, lookup);
  const growth = growthOf(plan);
  return (bytes, start, end, to) => {
    if (end - start < 2 || (((bytes[start] as number) << 8) | (bytes[start + 1] as number)) !== plan.length) {
      throw new RangeError('a row with another number of columns than its description');
    }
    let into = to.reserve(end - start + growth);
    let out = to.length;
    let at = start + 2;
    let clear = start;
    for (let column = 0; column < plan.length; column++) {
      const cell = at + 4;
      if (cell > end) throw new RangeError('a row shorter than it says');
      const length = int32(bytes, at);
      at = length === -1 ? cell : cell + length;
      if (length < -1 || at > end) throw new RangeError('a cell with an impossible length');
      const masking = plan[column];
      if (masking === undefined) continue;
      out = copyBytes(bytes, clear, cell - 4, into, out);
      clear = at;
      const masked =
        length === -1 || masking.plain === undefined ? -1 : masking.plain.write(bytes, cell, at, into, out + 4);
      if (masked >= 0) {
        putInt32(into, out, masked - out - 4);
        out = masked;
        continue;
      }
      to.wrote(out);
      writeCell(to, masking.mask(length === -1 ? null : bytes.subarray(cell, at)));
      into = to.reserve(end - at + growth);
      out = to.length;
    }
    if (at !== end) throw new RangeError('a row longer than it says');
    to.wrote(copyBytes(bytes, clear, end, into, out));
  };
}

/** An int32 length and the bytes, as DataRow and binary COPY have it. */
export function writeCell(writer: ByteWriter, cell: Buffer | null): void {
  if (cell === null) writer.int32(-1);
  else writer.int32(cell.length).copy(cell, 0, cell.length);
}
