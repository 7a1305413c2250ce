import { Buffer } from 'node:buffer';
import { createHash, timingSafeEqual } from 'node:crypto';
import type { ServerHostKeyAlgorithm } from 'ssh2';
import { hostKeyAlgorithms } from '../transport/algorithms.ts';
import { BlobReader } from './blob.ts';

/** Algorithms by which a key of each type can prove itself; RSA never with SHA-1 (RFC 8332). */
const byType: ReadonlyMap<string, readonly ServerHostKeyAlgorithm[]> = new Map([
  ['ssh-ed25519', ['ssh-ed25519']],
  ['ecdsa-sha2-nistp256', ['ecdsa-sha2-nistp256']],
  ['ecdsa-sha2-nistp384', ['ecdsa-sha2-nistp384']],
  ['ecdsa-sha2-nistp521', ['ecdsa-sha2-nistp521']],
  ['ssh-rsa', ['rsa-sha2-512', 'rsa-sha2-256']],
]);

/** What is wrong with one entry of `host_keys`; undefined when it can be used. */
export function pinProblem(pin: string): string | undefined {
  if (/^SHA256:/.test(pin)) {
    return /^SHA256:[A-Za-z0-9+/]{43}=?$/.test(pin)
      ? undefined
      : 'is no SHA-256 fingerprint: `SHA256:` and 43 characters of base64, as `ssh-keygen -l` prints it';
  }
  const [type = '', base64 = ''] = pin.trim().split(/\s+/);
  if (!byType.has(type)) {
    return `is neither a fingerprint (\`SHA256:…\`) nor a public key of a type that is taken (${[...byType.keys()].join(', ')})`;
  }
  try {
    const blob = Buffer.from(base64, 'base64');
    const reader = new BlobReader(blob);
    const again = blob.toString('base64').replace(/=+$/, '');
    if (reader.text() === type && reader.left > 0 && again === base64.replace(/=+$/, '')) return undefined;
  } catch {
    // Said below.
  }
  return 'is no public key: its base64 does not hold a key of the type it begins with';
}

/** Whether a server's key (in its binary form) is one of those that the operator wrote down. */
export function isPinned(pins: readonly string[], key: Buffer): boolean {
  const fingerprint = createHash('sha256').update(key).digest();
  return pins.some((pin) => {
    const known = pin.startsWith('SHA256:') ? Buffer.from(pin.slice(7), 'base64') : sha256(keyOf(pin));
    return known.length === fingerprint.length && timingSafeEqual(known, fingerprint);
  });
}

/** `SHA256:…`, as OpenSSH prints it. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The algorithms to ask the server for, so that it shows the key that is pinned and not another one it also has. */
export function algorithmsFor(pins: readonly string[]): readonly ServerHostKeyAlgorithm[] {
  if (pins.some((pin) => pin.startsWith('SHA256:'))) return hostKeyAlgorithms;
  const types = new Set(pins.flatMap((pin) => byType.get(pin.trim().split(/\s+/)[0] ?? '') ?? []));
  return hostKeyAlgorithms.filter((algorithm) => types.has(algorithm));
}

function keyOf(pin: string): Buffer {
  return Buffer.from(pin.trim().split(/\s+/)[1] ?? '', 'base64');
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
