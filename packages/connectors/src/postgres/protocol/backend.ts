/** Bodies of the server's messages that the gateway looks into. All throw `RangeError` when malformed. */
import { ByteReader } from '../../wire/byte-reader.ts';
import type { TransactionStatus } from './codes.ts';

export interface Column {
  readonly name: string;
  /** OID of the table, 0 for an expression. */
  readonly table: number;
  /** Attribute number in that table, 0 for an expression. */
  readonly attribute: number;
  readonly type: number;
  readonly typmod: number;
  /** 0 text, 1 binary; always 0 in the description of a statement. */
  readonly format: number;
}

export function readRowDescription(frame: Buffer): Column[] {
  const reader = new ByteReader(frame, 5);
  const columns: Column[] = [];
  const count = reader.uint16();
  for (let index = 0; index < count; index++) {
    const name = reader.cstring();
    const table = reader.uint32();
    const attribute = reader.int16();
    const type = reader.uint32();
    reader.int16();
    const typmod = reader.int32();
    columns.push({ name, table, attribute, type, typmod, format: reader.int16() });
  }
  if (reader.left > 0) throw new RangeError('row description with bytes behind its end');
  return columns;
}

export function readCommandTag(frame: Buffer): string {
  return new ByteReader(frame, 5).cstring();
}

export function readStatus(frame: Buffer): TransactionStatus {
  const status = String.fromCharCode(frame[5] ?? 0);
  if (frame.length !== 6 || (status !== 'I' && status !== 'T' && status !== 'E')) {
    throw new RangeError('unknown transaction status');
  }
  return status;
}

export function readParameterStatus(frame: Buffer): { readonly name: string; readonly value: string } {
  const reader = new ByteReader(frame, 5);
  return { name: reader.cstring(), value: reader.cstring() };
}

export function readNotification(frame: Buffer): {
  readonly pid: number;
  readonly channel: string;
  readonly text: string;
} {
  const reader = new ByteReader(frame, 5);
  return { pid: reader.int32(), channel: reader.cstring(), text: reader.cstring() };
}

/** Text cells of one DataRow. */
export function readTextRow(frame: Buffer): (string | null)[] {
  const reader = new ByteReader(frame, 5);
  const cells: (string | null)[] = [];
  const count = reader.uint16();
  for (let index = 0; index < count; index++) {
    const length = reader.int32();
    cells.push(length === -1 ? null : reader.bytes(length).toString('utf8'));
  }
  return cells;
}
