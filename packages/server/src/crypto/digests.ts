/**
 * The platform's cryptography behind the ports that core computes with: digests, ids, the keys that seal recordings.
 * Nothing here decides anything, and private keys do not leave the folder. Credentials towards targets are not its
 * business.
 */
import { createHash, createHmac, hash } from 'node:crypto';
import type { Digests } from '@sluice/core/contract/crypto.ts';
import type { RunningDigest } from '@sluice/core/recording/ports.ts';

const digesting: Pick<Digests, 'sha256' | 'sha256Into' | 'sha256Hex'> = {
  sha256,
  sha256Into(into, bytes) {
    // As a string of 32 characters: a new array costs more than the digest does.
    const digest = hash('sha256', bytes, 'binary');
    for (let at = 0; at < 32; at++) into[at] = digest.charCodeAt(at);
  },
  sha256Hex: (bytes) => hash('sha256', bytes, 'hex'),
};

/** `maskingKey`: the deployment's 32 bytes, see `openMaskingKey`. */
export function platformDigests(maskingKey: Uint8Array): Digests {
  return {
    ...digesting,
    keyedHash(...parts) {
      const hmac = createHmac('sha256', maskingKey);
      for (const part of parts) hmac.update(part);
      return hmac.digest();
    },
  };
}

/** For work that has no deployment, like verifying offline: any keyed hash is refused. */
export const plainDigests: Digests = {
  ...digesting,
  keyedHash() {
    throw new Error('there is no masking key here');
  },
};

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts;
  // One call into the library for the one-part case, which every recorded event takes.
  if (first && parts.length === 1) return hash('sha256', first, 'buffer');
  const digest = createHash('sha256');
  for (const part of parts) digest.update(part);
  return digest.digest();
}

export function startSha256(): RunningDigest {
  const digest = createHash('sha256');
  return {
    update: (bytes) => void digest.update(bytes),
    digest: () => digest.digest(),
  };
}
