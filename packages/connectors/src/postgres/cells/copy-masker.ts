import type { CellMasker } from '@sluice/core/contract/labels.ts';
import type { ByteWriter } from '../../wire/byte-writer.ts';
import { maskCells } from './cell-codec.ts';
import { binaryFormat } from './copy-binary.ts';
import { csvFormat } from './copy-csv.ts';
import type { CopyFormat, CopyOptions } from './copy-format.ts';
import { textFormat } from './copy-text.ts';
import type { TypeLookup } from './shapes.ts';

/** `type` and `typmod` as in the catalog; a column without a type can only be masked to null. */
export interface CopyColumn {
  readonly labels: readonly string[];
  readonly type?: number;
  readonly typmod?: number;
}

/** One COPY to the client; a `CopyMeaning` is one. */
export interface CopyOut extends CopyOptions {
  /** In the order of the stream; `labels` are those under which a column must be masked. */
  readonly columns: readonly CopyColumn[];
}

/** What the server itself allows a row to be. */
const longestRow = 1 << 30;

export interface CopyMasker {
  /**
   * Takes the body of one CopyData message and returns that of the message to send instead, with every row that is
   * complete by now; empty when there is none. Rows of the server come one to a message and go out so.
   */
  push(body: Uint8Array): Buffer;
  /**
   * Writes the masked body of a message whose body is the bytes from `start` to `end`, where that is one row and in no
   * way unusual. False where it is not, and then nothing is said or written: it has to be pushed.
   */
  row(bytes: Buffer, start: number, end: number, to: ByteWriter): boolean;
  /** Call at CopyDone. Throws when a row is incomplete. */
  end(): void;
}

/**
 * Masks the rows of one COPY … TO STDOUT. They must be in UTF-8: a COPY with another ENCODING is to be refused before.
 * At most `maxRow` bytes of an incomplete row are kept (by default 1 GiB, the server's own
 * limit; a gateway sets less). Throws `RangeError` for rows that are malformed, too long or
 * have another number of fields than `columns`, and what the masker throws; it is dead then.
 */
export function createCopyMasker(
  copy: CopyOut,
  masker: CellMasker,
  options: { readonly maxRow?: number; readonly types?: TypeLookup } = {},
): CopyMasker {
  const format = copyFormat(copy, masker, options.types);
  const maxRow = options.maxRow ?? longestRow;
  const pending = new Pending();
  let dead = false;

  const run = (body: Uint8Array): Buffer => {
    let bytes = pending.length === 0 ? viewOf(body) : pending.append(body);
    let from = pending.length === 0 ? 0 : format.scanned;
    const rows: Buffer[] = [];
    while (bytes.length > 0) {
      const end = format.scan(bytes, from);
      if (end < 0) break;
      rows.push(format.mask(bytes.subarray(0, end)));
      bytes = bytes.subarray(end);
      from = 0;
    }
    if (bytes.length > maxRow) throw new RangeError(`a COPY row of more than ${maxRow} bytes`);
    pending.keep(bytes);
    const [first] = rows;
    return first !== undefined && rows.length === 1 ? first : Buffer.concat(rows);
  };

  return {
    row(bytes, start, end, to) {
      if (dead || pending.length > 0 || format.row === undefined) return false;
      dead = true;
      const written = format.row(bytes, start, end, to);
      dead = false;
      return written;
    },
    push(body) {
      if (dead) throw new RangeError('COPY goes on after an error');
      dead = true;
      const masked = run(body);
      dead = false;
      return masked;
    },
    end() {
      if (dead || pending.length > 0) throw new RangeError('COPY ends inside a row');
      format.end();
    },
  };
}

function copyFormat(copy: CopyOut, masker: CellMasker, types: TypeLookup | undefined): CopyFormat {
  const format = copy.format === 'binary' ? 1 : 0;
  const plan = maskCells(
    copy.columns.map(({ type = 0, typmod = -1, labels }) => ({ oid: type, typmod, labels, format })),
    masker,
    types,
  );
  switch (copy.format) {
    case 'text':
      return textFormat(plan, copy);
    case 'csv':
      return csvFormat(plan, copy);
    case 'binary':
      return binaryFormat(plan);
  }
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The beginning of a row whose end has not come; grows by doubling, so that many small pieces stay cheap. */
class Pending {
  #bytes = Buffer.alloc(0);
  length = 0;

  append(more: Uint8Array): Buffer {
    if (this.length + more.length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.length + more.length, 1024));
      this.#bytes.copy(grown, 0, 0, this.length);
      this.#bytes = grown;
    }
    this.#bytes.set(more, this.length);
    this.length += more.length;
    return this.#bytes.subarray(0, this.length);
  }

  /** Replaces what is kept. What was there stays as it is, because rows that went out are views of it. */
  keep(rest: Buffer): void {
    if (rest.length === this.length && this.length > 0 && rest.byteOffset === this.#bytes.byteOffset) return;
    this.#bytes = Buffer.from(rest);
    this.length = rest.length;
  }
}
