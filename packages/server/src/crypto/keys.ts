import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  type KeyObject,
  randomBytes,
  sign,
} from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Signer } from '@sluice/core/contract/crypto.ts';
import { Redacted } from '@sluice/core/domain/redacted.ts';
import { KeyError, readKeyFile, writeKeyFile } from './key-files.ts';
import { keyIdOf, type PublicKey, rawPublicKey, readPublicKeys } from './public-keys.ts';

export interface Keys {
  readonly signer: Signer;
  /** 32 bytes, base64. */
  readonly maskingKey: Redacted;
  /** Current and retired, as in `public.json`. */
  readonly publicKeys: readonly PublicKey[];
  /** Whether the sealing key was made just now: then nothing sealed before can be checked with it. */
  readonly created: boolean;
}

export function keysDirectory(dataDir: string): string {
  return join(dataDir, 'keys');
}

export function publicKeysPath(dataDir: string): string {
  return join(keysDirectory(dataDir), 'public.json');
}

/**
 * The deployment's keys under `<data_dir>/keys`, created on the first start: `seal.pem` (Ed25519, PKCS #8) and
 * `masking.key`, both only for the gateway's user, and `public.json` for anyone who verifies.
 * Throws `KeyError` for a key that others can read, that is broken, or that is gone while its public half is listed.
 */
export function openKeys(dataDir: string, now: () => number = Date.now): Keys {
  const sealPath = join(keysDirectory(dataDir), 'seal.pem');
  const listPath = publicKeysPath(dataDir);
  const listed = existsSync(listPath) ? readPublicKeys(listPath) : [];
  const pem = readKeyFile(sealPath);
  const created = pem === undefined;
  // Quietly making a new one would hide that somebody removed the old one.
  if (created && listed.some((key) => key.retiredAt === undefined)) {
    throw new KeyError(
      'key_unreadable',
      `${sealPath}: the sealing key is gone, but ${listPath} lists it as current. ` +
        'Restore it from a backup; if it is lost for good, retire it with rotateSealKey and say so in your records.',
    );
  }
  const key = pem === undefined ? generateSealKey(sealPath) : parseSealKey(pem, sealPath);
  const publicKeys = listCurrent(listPath, listed, key, now());
  return { signer: signerOf(key), maskingKey: openMaskingKey(dataDir), publicKeys, created };
}

/** Tells keys from others without giving them away. */
export interface KeyFingerprints {
  /** Id of the sealing key. */
  readonly sealing: string;
  /** SHA-256 of the masking key, lower-case hex. */
  readonly masking: string;
}

export function fingerprintsOf({ signer, maskingKey }: Pick<Keys, 'signer' | 'maskingKey'>): KeyFingerprints {
  return { sealing: signer.keyId, masking: hash('sha256', maskingKeyBytes(maskingKey), 'hex') };
}

/**
 * The same keys in another process of the gateway that opened them. Makes none; throws `KeyError` when one is gone or is
 * another by now, since two processes would seal or mask in two ways.
 */
export function readKeys(dataDir: string, expected: KeyFingerprints): Pick<Keys, 'signer' | 'maskingKey'> {
  const sealPath = join(keysDirectory(dataDir), 'seal.pem');
  const maskingPath = join(keysDirectory(dataDir), 'masking.key');
  const keys = {
    signer: signerOf(parseSealKey(keyIn(sealPath), sealPath)),
    maskingKey: new Redacted(keyIn(maskingPath).trim()),
  };
  const found = fingerprintsOf(keys);
  if (found.sealing !== expected.sealing) throw another(sealPath);
  if (found.masking !== expected.masking) throw another(maskingPath);
  return keys;
}

function keyIn(path: string): string {
  const stored = readKeyFile(path);
  if (stored === undefined) throw new KeyError('key_unreadable', `${path}: the key is gone. Restore it from a backup.`);
  return stored;
}

function another(path: string): KeyError {
  return new KeyError('key_invalid', `${path}: the gateway started with another key. Restore that, or start it again.`);
}

/**
 * Puts a new sealing key in place; what the old one sealed stays verifiable. Run it while no gateway runs on the
 * directory. Returns the new key's id and the retired one's, when there was one.
 */
export function rotateSealKey(dataDir: string, now: () => number = Date.now): { keyId: string; retired: string } {
  const listPath = publicKeysPath(dataDir);
  const listed = existsSync(listPath) ? readPublicKeys(listPath) : [];
  const retired = listed.find((key) => key.retiredAt === undefined)?.keyId ?? '';
  const key = generateSealKey(join(keysDirectory(dataDir), 'seal.pem'));
  listCurrent(listPath, listed, key, now());
  return { keyId: keyIdOf(rawPublicKey(createPublicKey(key))), retired };
}

/** The key of the `hash` and `token` masks: 32 random bytes in base64, created on first use. */
export function openMaskingKey(dataDir: string): Redacted {
  const path = join(keysDirectory(dataDir), 'masking.key');
  const stored = readKeyFile(path)?.trim();
  if (stored !== undefined) {
    if (Buffer.from(stored, 'base64').length !== 32) {
      throw new KeyError('key_invalid', `${path}: this is not 32 bytes in base64. Restore it from a backup.`);
    }
    return new Redacted(stored);
  }
  const fresh = randomBytes(32).toString('base64');
  writeKeyFile(path, `${fresh}\n`, 0o600);
  return new Redacted(fresh);
}

/** The masking key's bytes, for `platformDigests`. */
export function maskingKeyBytes(key: Redacted): Uint8Array {
  return Buffer.from(key.reveal(), 'base64');
}

function generateSealKey(path: string): KeyObject {
  const { privateKey } = generateKeyPairSync('ed25519');
  writeKeyFile(path, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 0o600);
  return privateKey;
}

function parseSealKey(pem: string, path: string): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    throw new KeyError('key_invalid', `${path}: this is no private key in PEM. Restore it from a backup.`, error);
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new KeyError('key_invalid', `${path}: this is not an Ed25519 key.`);
  return key;
}

function listCurrent(path: string, listed: readonly PublicKey[], key: KeyObject, now: number): readonly PublicKey[] {
  const raw = rawPublicKey(createPublicKey(key));
  const keyId = keyIdOf(raw);
  if (listed.some((entry) => entry.keyId === keyId && entry.retiredAt === undefined)) return listed;
  const at = new Date(now).toISOString();
  const current: PublicKey = {
    keyId,
    algorithm: 'Ed25519',
    publicKey: raw.toString('base64'),
    createdAt: listed.find((entry) => entry.keyId === keyId)?.createdAt ?? at,
  };
  const next = [
    ...listed
      .filter((entry) => entry.keyId !== keyId)
      .map((entry) => (entry.retiredAt === undefined ? { ...entry, retiredAt: at } : entry)),
    current,
  ];
  writeKeyFile(path, `${JSON.stringify({ keys: next }, null, 2)}\n`, 0o644);
  return next;
}

function signerOf(key: KeyObject): Signer {
  return {
    keyId: keyIdOf(rawPublicKey(createPublicKey(key))),
    sign: (message) => sign(null, message, key),
  };
}
