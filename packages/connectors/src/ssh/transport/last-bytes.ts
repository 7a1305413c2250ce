import { Buffer } from 'node:buffer';

/** A copy of the last `most` bytes of what came before and what comes behind it. */
export function lastBytes(before: Uint8Array, behind: Uint8Array, most: number): Buffer {
  if (behind.length >= most) return Buffer.from(behind.subarray(behind.length - most));
  const kept = before.subarray(Math.max(0, before.length + behind.length - most));
  return Buffer.concat([kept, behind]);
}
