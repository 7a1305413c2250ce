import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Deflater, Inflater } from '@sluice/core/recording/ports.ts';

/**
 * Compresses within a budget of bytes per second over all sessions. Compression is done while a client waits; under
 * load space is cheaper than the client's time, and then chunks are stored as they are.
 */
export function budgetedDeflater(bytesPerSecond: number, now: () => number = () => performance.now()): Deflater {
  let left = bytesPerSecond;
  let last = now();
  return {
    deflate(bytes) {
      const at = now();
      left = Math.min(bytesPerSecond, left + ((at - last) / 1000) * bytesPerSecond);
      last = at;
      if (left < bytes.length) return undefined;
      left -= bytes.length;
      return deflateRawSync(bytes, { level: 1 });
    },
  };
}

export const noDeflater: Deflater = { deflate: () => undefined };

export const inflater: Inflater = {
  inflate(bytes, size) {
    // One byte of slack tells an output of exactly `size` from a longer one.
    const plain = inflateRawSync(bytes, { maxOutputLength: size + 1 });
    if (plain.length !== size) throw new Error('the data inflates to another length');
    return plain;
  },
};
