/** Bodies of the client's messages in the extended protocol, taken apart. All throw `RangeError` when malformed. */
import { ByteReader } from '../../wire/byte-reader.ts';

export interface ParseMessage {
  readonly name: string;
  readonly text: string;
  readonly parameterTypes: readonly number[];
}

export interface BindMessage {
  readonly portal: string;
  readonly statement: string;
  readonly parameters: readonly { readonly binary: boolean; readonly value: Buffer | null }[];
  /** 0 text, 1 binary; none means all text, one means it for all. */
  readonly resultFormats: readonly number[];
}

export interface Named {
  readonly kind: 'statement' | 'portal';
  readonly name: string;
}

export interface ExecuteMessage {
  readonly portal: string;
  readonly maxRows: number;
}

export function readQuery(frame: Buffer): string {
  const reader = new ByteReader(frame, 5);
  return ended(reader, reader.cstring());
}

export function readParse(frame: Buffer): ParseMessage {
  const reader = new ByteReader(frame, 5);
  const name = reader.cstring();
  const text = reader.cstring();
  const parameterTypes = list(reader.uint16(), () => reader.uint32());
  return ended(reader, { name, text, parameterTypes });
}

export function readBind(frame: Buffer): BindMessage {
  const reader = new ByteReader(frame, 5);
  const portal = reader.cstring();
  const statement = reader.cstring();
  const formats = list(reader.uint16(), () => formatCode(reader));
  const count = reader.uint16();
  if (formats.length > 1 && formats.length !== count)
    throw new RangeError('parameter formats and parameters differ in number');
  const parameters = list(count, (index) => {
    const length = reader.int32();
    if (length < -1) throw new RangeError('parameter with an impossible length');
    const binary = (formats.length === 1 ? formats[0] : formats[index]) === 1;
    return { binary, value: length === -1 ? null : reader.bytes(length) };
  });
  const resultFormats = list(reader.uint16(), () => formatCode(reader));
  return ended(reader, { portal, statement, parameters, resultFormats });
}

export function readNamed(frame: Buffer): Named {
  const reader = new ByteReader(frame, 5);
  const code = reader.uint8();
  if (code !== 0x53 && code !== 0x50) throw new RangeError('neither a statement nor a portal');
  return ended(reader, { kind: code === 0x53 ? 'statement' : 'portal', name: reader.cstring() });
}

export function readExecute(frame: Buffer): ExecuteMessage {
  const reader = new ByteReader(frame, 5);
  return ended(reader, { portal: reader.cstring(), maxRows: reader.int32() });
}

function formatCode(reader: ByteReader): number {
  const code = reader.int16();
  if (code !== 0 && code !== 1) throw new RangeError('unknown format code');
  return code;
}

function list<T>(count: number, read: (index: number) => T): T[] {
  const items: T[] = [];
  for (let index = 0; index < count; index++) items.push(read(index));
  return items;
}

function ended<T>(reader: ByteReader, value: T): T {
  if (reader.left > 0) throw new RangeError('message with bytes behind its end');
  return value;
}
