// The digests of the platform, for tests of what computes with them.
import { createHash, createHmac } from 'node:crypto';
import type { Digests } from '@sluice/core/contract/crypto.ts';

export function testDigests(key: string): Digests {
  const sha256 = (...parts: readonly Uint8Array[]): Buffer =>
    createHash('sha256').update(Buffer.concat(parts)).digest();
  return {
    sha256,
    sha256Into: (into, bytes) => into.set(sha256(bytes)),
    sha256Hex: (bytes) => sha256(bytes).toString('hex'),
    keyedHash: (...parts) => createHmac('sha256', key).update(Buffer.concat(parts)).digest(),
  };
}
