// Cells: the rows, COPY rows and messages of an answer, with the labelled values in them replaced. This folder knows
// how PostgreSQL writes a value in each of its formats. It neither knows which columns bear a label (meaning and
// catalog tell) nor what a mask looks like (the masker it is handed does), and it sees bodies, not messages.

import type { CellMasker } from '@sluice/core/contract/labels.ts';
import { ByteWriter } from '../../wire/byte-writer.ts';
import { type CellColumn, maskCells } from './cell-codec.ts';
import type { TypeLookup } from './shapes.ts';

/** Takes the body of a DataRow and returns the one to send instead. */
export type RowMasker = (body: Uint8Array) => Buffer;

/**
 * Rewrites bodies of DataRow messages of one result ("Message Formats": int16 count, then per cell an int32 length,
 * -1 for null, and the bytes). Clear cells are copied in runs, byte for byte and without being looked at; nulls stay
 * null, but for those of computed columns. The answer is a new array. Throws `RangeError` for a malformed body, and what the masker throws: then
 * nothing of the result may be passed on.
 */
export function createRowMasker(columns: readonly CellColumn[], masker: CellMasker, lookup?: TypeLookup): RowMasker {
  const masks = maskCells(columns, masker, lookup);
  const writer = new ByteWriter(1024);
  return (body) => {
    const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
    if (bytes.length < 2 || bytes.readUInt16BE(0) !== masks.length) {
      throw new RangeError('a row with another number of columns than its description');
    }
    let at = 2;
    let clear = 0;
    // What an earlier row left when its masking failed.
    if (writer.length > 0) writer.take();
    for (const mask of masks) {
      if (at + 4 > bytes.length) throw new RangeError('a row shorter than it says');
      const length = bytes.readInt32BE(at);
      const start = at + 4;
      at = length === -1 ? start : start + length;
      if (length < -1 || at > bytes.length) throw new RangeError('a cell with an impossible length');
      if (mask === undefined) continue;
      writer.bytes(bytes.subarray(clear, start - 4));
      writeCell(writer, mask(length === -1 ? null : bytes.subarray(start, at)));
      clear = at;
    }
    if (at !== bytes.length) throw new RangeError('a row longer than it says');
    return writer.bytes(bytes.subarray(clear)).take();
  };
}

/** An int32 length and the bytes, as DataRow and binary COPY have it. */
export function writeCell(writer: ByteWriter, cell: Buffer | null): void {
  if (cell === null) writer.int32(-1);
  else writer.int32(cell.length).bytes(cell);
}
