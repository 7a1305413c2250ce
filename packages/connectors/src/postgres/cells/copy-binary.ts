import { ByteWriter } from '../../wire/byte-writer.ts';
import type { Masking } from './cell-codec.ts';
import type { CopyFormat } from './copy-format.ts';
import { writeCell } from './row-masker.ts';

const signature = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');

/** COPY's binary format ("File Formats", "Binary Format"): header, tuples like DataRow's cells, a trailer of -1. */
export function binaryFormat(plan: readonly (Masking | undefined)[]): CopyFormat {
  const writer = new ByteWriter(1024);
  let state: 'header' | 'rows' | 'over' = 'header';
  /** Where the next thing to look at begins, and how many cells of the row are still to come. */
  let at = 0;
  let cells = -1;

  const scanHeader = (bytes: Buffer): number => {
    if (bytes.length < signature.length + 8) return -1;
    const flags = bytes.readInt32BE(signature.length);
    const extension = bytes.readInt32BE(signature.length + 4);
    if (!bytes.subarray(0, signature.length).equals(signature))
      throw new RangeError('binary COPY without its signature');
    // Bit 16: rows begin with an OID, in servers before version 12. The server of today sets none and extends nothing.
    if (flags !== 0 || extension !== 0) throw new RangeError('binary COPY with an unknown header');
    return signature.length + 8;
  };

  const scanRow = (bytes: Buffer): number => {
    if (cells < 0) {
      if (bytes.length < 2) return -1;
      const count = bytes.readInt16BE(0);
      if (count === -1) return 2;
      if (count !== plan.length) throw new RangeError('a COPY row with another number of fields than columns');
      at = 2;
      cells = count;
    }
    while (cells > 0) {
      if (bytes.length < at + 4) return -1;
      const length = bytes.readInt32BE(at);
      if (length < -1) throw new RangeError('a cell with an impossible length');
      const end = at + 4 + Math.max(length, 0);
      if (bytes.length < end) return -1;
      at = end;
      cells--;
    }
    cells = -1;
    return at;
  };

  return {
    get scanned() {
      return at;
    },
    scan(bytes) {
      if (state === 'over') throw new RangeError('binary COPY with bytes behind its trailer');
      const end = state === 'header' ? scanHeader(bytes) : scanRow(bytes);
      if (end >= 0) at = 0;
      return end;
    },
    mask(item) {
      if (state === 'header') {
        state = 'rows';
        return item;
      }
      if (item.length === 2 && item.readInt16BE(0) === -1) {
        state = 'over';
        return item;
      }
      writer.bytes(item.subarray(0, 2));
      let from = 2;
      for (const masking of plan) {
        const length = item.readInt32BE(from);
        const end = from + 4 + Math.max(length, 0);
        if (masking === undefined || length === -1) writer.bytes(item.subarray(from, end));
        else writeCell(writer, masking.mask(item.subarray(from + 4, end)));
        from = end;
      }
      return writer.take();
    },
    end() {
      if (state !== 'over') throw new RangeError('binary COPY without its trailer');
    },
  };
}
