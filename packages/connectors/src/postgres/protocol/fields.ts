import { ByteReader } from '../../wire/byte-reader.ts';
import { ByteWriter } from '../../wire/byte-writer.ts';

/** Fields of ErrorResponse and NoticeResponse by their code letter ("Error and Notice Message Fields"). */
export type Fields = ReadonlyMap<string, string>;

/** Takes the body apart; throws `RangeError` when it is malformed. */
export function readFields(frame: Buffer): Fields {
  const reader = new ByteReader(frame, 5);
  const fields = new Map<string, string>();
  for (;;) {
    const code = reader.uint8();
    if (code === 0) return fields;
    fields.set(String.fromCharCode(code), reader.cstring());
  }
}

export function writeFields(type: number, fields: Fields): Buffer {
  const writer = new ByteWriter(512).uint8(type).int32(0);
  for (const [code, text] of fields) writer.uint8(code.charCodeAt(0)).cstring(text);
  writer.uint8(0);
  return writer.patchInt32(1, writer.length - 1).take();
}
