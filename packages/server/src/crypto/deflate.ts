import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Deflater, Inflater } from '@sluice/core/recording/ports.ts';

/**
 * Compresses within a budget of bytes per second over all sessions. Compression is done while a client waits; under
 * load space is cheaper than the client's time, and then chunks are stored as they are. So are those that look compressed
 * or encrypted already, which take longest and shrink least.
 */
export function budgetedDeflater(bytesPerSecond: number, now: () => number = () => performance.now()): Deflater {
  let left = bytesPerSecond;
  let last = now();
  return {
    deflate(bytes) {
      const at = now();
      left = Math.min(bytesPerSecond, left + ((at - last) / 1000) * bytesPerSecond);
      last = at;
      if (left < bytes.length || looksPacked(bytes)) return undefined;
      left -= bytes.length;
      return deflateRawSync(bytes, { level: 1 });
    },
  };
}

const samples = 512;
/** Of as many samples of random bytes some 221 are different (256 × (1 − e^−2)); of texts and programs many fewer. */
const mostDifferent = 200;

function looksPacked(bytes: Uint8Array): boolean {
  if (bytes.length < samples * 4) return false;
  const met = new Uint8Array(256);
  const step = bytes.length / samples;
  let different = 0;
  for (let sample = 0; sample < samples; sample++) {
    const byte = bytes[Math.floor(sample * step)] as number;
    if (met[byte] === 1) continue;
    met[byte] = 1;
    different++;
  }
  return different > mostDifferent;
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
