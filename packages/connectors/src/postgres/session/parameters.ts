/** Parameter values of a Bind in readable form, for approvers and for the recording. */
import { createHash } from 'node:crypto';
import type { BindMessage } from '../protocol/frontend.ts';

/** Longer values are shown by size and SHA-256; the digest keeps an approval bound to the content. */
const longest = 65_536;

const textTypes = new Set([18, 19, 25, 114, 142, 1042, 1043]);
const jsonb = 3802;
const uuid = 2950;

export function readableParameters(bind: BindMessage, types: readonly number[]): (string | null)[] {
  return bind.parameters.map(({ binary, value }, index) => {
    if (value === null) return null;
    if (value.length > longest) {
      return `(${value.length} bytes, sha256 ${createHash('sha256').update(value).digest('hex')})`;
    }
    return binary ? readableBinary(value, types[index] ?? 0) : value.toString('utf8');
  });
}

/**
 * SHA-256 over the parameters as they are on the wire, with the types that the client declared: two that read alike may
 * still be different ones. Undefined where there are none.
 */
export function exactParameters(bind: BindMessage, types: readonly number[]): string | undefined {
  if (bind.parameters.length === 0) return undefined;
  const hash = createHash('sha256');
  const head = Buffer.alloc(9);
  bind.parameters.forEach(({ binary, value }, index) => {
    head.writeUInt32BE(types[index] ?? 0, 0);
    head.writeUInt8(binary ? 1 : 0, 4);
    head.writeInt32BE(value?.length ?? -1, 5);
    hash.update(head);
    if (value) hash.update(value);
  });
  return hash.digest('hex');
}

function readableBinary(value: Buffer, type: number): string {
  if (textTypes.has(type)) return value.toString('utf8');
  if (type === jsonb && value[0] === 1) return value.toString('utf8', 1);
  if (type === 16 && value.length === 1) return value[0] === 1 ? 'true' : 'false';
  if (type === 21 && value.length === 2) return String(value.readInt16BE());
  if ((type === 23 || type === 26) && value.length === 4) return String(value.readInt32BE());
  if (type === 20 && value.length === 8) return String(value.readBigInt64BE());
  if (type === 700 && value.length === 4) return String(value.readFloatBE());
  if (type === 701 && value.length === 8) return String(value.readDoubleBE());
  if (type === uuid && value.length === 16) {
    return value.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }
  // The type is not known, or has no short readable form. Text stays recognisable as text for the write-back guard.
  const text = value.toString('utf8');
  return /^[^\p{Cc}\ufffd]+$/u.test(text) ? text : `\\x${value.toString('hex')}`;
}
