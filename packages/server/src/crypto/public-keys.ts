import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { SealVerifier } from '@sluice/core/contract/crypto.ts';
import { KeyError } from './key-files.ts';

/** One public key of the deployment, as `public.json` lists it. */
export interface PublicKey {
  /** First 16 hex digits of the SHA-256 of the raw key. */
  readonly keyId: string;
  readonly algorithm: 'Ed25519';
  /** The raw 32 bytes in base64. */
  readonly publicKey: string;
  /** ISO 8601. */
  readonly createdAt: string;
  /** When another key took over; what it sealed stays valid. */
  readonly retiredAt?: string;
}

// DER of a SubjectPublicKeyInfo for Ed25519 up to the key itself (RFC 8410 section 4).
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');

export function rawPublicKey(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' }).subarray(spkiPrefix.length);
}

export function keyIdOf(raw: Uint8Array): string {
  return createHash('sha256').update(raw).digest('hex').slice(0, 16);
}

/** Reads a `public.json`. Throws `KeyError` naming the file and what is wrong in it. */
export function readPublicKeys(path: string): readonly PublicKey[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new KeyError('key_unreadable', `${path}: the public keys cannot be read (${code}).`, error);
  }
  return parsePublicKeys(text, path);
}

export function parsePublicKeys(text: string, path: string): readonly PublicKey[] {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new KeyError('key_invalid', `${path}: this is not JSON.`, error);
  }
  const keys = (document as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys)) throw new KeyError('key_invalid', `${path}: there is no list "keys".`);
  return keys.map((entry, index) => checked(entry, `${path}: keys[${index}]`));
}

function checked(entry: unknown, where: string): PublicKey {
  const { keyId, algorithm, publicKey, createdAt, retiredAt } = (entry ?? {}) as Record<string, unknown>;
  if (algorithm !== 'Ed25519') throw new KeyError('key_invalid', `${where}: the algorithm is not Ed25519.`);
  const raw = typeof publicKey === 'string' ? Buffer.from(publicKey, 'base64') : Buffer.alloc(0);
  if (raw.length !== 32) throw new KeyError('key_invalid', `${where}: publicKey is not 32 bytes in base64.`);
  // The id is only a name for the key: taken from the key itself, it can't point to another.
  if (keyId !== keyIdOf(raw)) throw new KeyError('key_invalid', `${where}: keyId does not belong to publicKey.`);
  return {
    keyId: keyIdOf(raw),
    algorithm,
    publicKey: raw.toString('base64'),
    createdAt: String(createdAt ?? ''),
    ...(typeof retiredAt === 'string' ? { retiredAt } : {}),
  };
}

/** Checks seals against these public keys; needs neither network nor secret. */
export function sealVerifier(keys: readonly PublicKey[]): SealVerifier {
  const trusted = new Map(
    keys.map((key) => [
      key.keyId,
      createPublicKey({
        key: Buffer.concat([spkiPrefix, Buffer.from(key.publicKey, 'base64')]),
        format: 'der',
        type: 'spki',
      }),
    ]),
  );
  return {
    knows: (keyId) => trusted.has(keyId),
    verify(keyId, message, signature) {
      const key = trusted.get(keyId);
      return key !== undefined && verify(null, message, key, signature);
    },
  };
}
