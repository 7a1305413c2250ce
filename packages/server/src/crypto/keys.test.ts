import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectorKeys } from './connector-keys.ts';
import { platformDigests } from './digests.ts';
import { randomIds } from './ids.ts';
import {
  fingerprintsOf,
  keysDirectory,
  maskingKeyBytes,
  openKeys,
  publicKeysPath,
  readKeys,
  rotateSealKey,
} from './keys.ts';
import { readPublicKeys, sealVerifier } from './public-keys.ts';

const message = new TextEncoder().encode('what was recorded');
let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'sluice-keys-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const file = (name: string): string => join(keysDirectory(dataDir), name);
const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe('the keys of a deployment', () => {
  it('are made on the first start and stay', () => {
    const first = openKeys(dataDir);
    const second = openKeys(dataDir);
    expect(first.created).toBe(true);
    expect(second.created).toBe(false);
    expect(second.signer.keyId).toBe(first.signer.keyId);
    expect(second.maskingKey.reveal()).toBe(first.maskingKey.reveal());
  });

  it('can be read by the gateway alone, the public ones by anyone', () => {
    openKeys(dataDir);
    expect(mode(keysDirectory(dataDir))).toBe('700');
    expect(mode(file('seal.pem'))).toBe('600');
    expect(mode(file('masking.key'))).toBe('600');
    expect(mode(file('public.json'))).toBe('644');
  });

  it('show no secret, however they are printed', () => {
    const keys = openKeys(dataDir);
    const secret = keys.maskingKey.reveal();
    expect(inspect(keys, { depth: 9 }) + JSON.stringify(keys)).not.toContain(secret);
    expect(readFileSync(publicKeysPath(dataDir), 'utf8')).not.toContain(secret);
  });

  it('sign what the listed public key verifies, and nothing else', () => {
    const { signer } = openKeys(dataDir);
    const seals = sealVerifier(readPublicKeys(publicKeysPath(dataDir)));
    const signature = signer.sign(message);
    expect(seals.verify(signer.keyId, message, signature)).toBe(true);
    expect(seals.verify(signer.keyId, message.slice(1), signature)).toBe(false);
    expect(seals.verify('0011223344556677', message, signature)).toBe(false);
    expect(seals.verify(signer.keyId, message, new Uint8Array(0))).toBe(false);
  });

  it('rotate: a new one signs, the old one still verifies', () => {
    const before = openKeys(dataDir).signer;
    const old = before.sign(message);
    expect(rotateSealKey(dataDir)).toMatchObject({ retired: before.keyId });
    const after = openKeys(dataDir);
    const seals = sealVerifier(after.publicKeys);
    expect(after.signer.keyId).not.toBe(before.keyId);
    expect(seals.verify(before.keyId, message, old)).toBe(true);
    expect(seals.verify(after.signer.keyId, message, after.signer.sign(message))).toBe(true);
    expect(after.publicKeys.map(({ retiredAt }) => retiredAt !== undefined)).toEqual([true, false]);
  });

  it.each([
    ['others can read the sealing key', () => chmodSync(file('seal.pem'), 0o640), /seal\.pem.*chmod 600/],
    ['others can read the masking key', () => chmodSync(file('masking.key'), 0o604), /masking\.key.*chmod 600/],
    ['the sealing key is gone', () => rmSync(file('seal.pem')), /seal\.pem: the sealing key is gone/],
    ['the sealing key is broken', () => writeFileSync(file('seal.pem'), 'x'), /seal\.pem: this is no private key/],
    ['the masking key is cut', () => writeFileSync(file('masking.key'), 'abcd'), /masking\.key: this is not 32 bytes/],
    ['the list is no JSON', () => writeFileSync(file('public.json'), '{'), /public\.json: this is not JSON/],
    [
      'a listed id belongs to another key',
      () => {
        const text = readFileSync(file('public.json'), 'utf8');
        writeFileSync(file('public.json'), text.replace(/"keyId": "../, '"keyId": "zz'));
      },
      /keys\[0\]: keyId does not belong/,
    ],
  ])('are refused when %s, with file and advice', (_what, damage, problem) => {
    openKeys(dataDir);
    damage();
    expect(() => openKeys(dataDir)).toThrow(problem);
  });

  it('hash under a key that differs by deployment', () => {
    const one = platformDigests(maskingKeyBytes(openKeys(dataDir).maskingKey));
    const two = platformDigests(new Uint8Array(32));
    expect(one.keyedHash(message)).toEqual(one.keyedHash(message.slice(0, 4), message.slice(4)));
    expect(one.keyedHash(message)).not.toEqual(two.keyedHash(message));
    expect(one.sha256(message)).toEqual(one.sha256(message.slice(0, 4), message.slice(4)));
  });
});

describe('the keys in a second process', () => {
  it('are those of the first', () => {
    const first = openKeys(dataDir);
    const second = readKeys(dataDir, fingerprintsOf(first));
    expect(second.signer.keyId).toBe(first.signer.keyId);
    expect(second.maskingKey.reveal()).toBe(first.maskingKey.reveal());
    expect(JSON.stringify(fingerprintsOf(first))).not.toContain(first.maskingKey.reveal());
  });

  it.each(['seal.pem', 'masking.key'])('are made by nobody there when they are gone: %s', (name) => {
    const prints = fingerprintsOf(openKeys(dataDir));
    rmSync(file(name));
    expect(() => readKeys(dataDir, prints)).toThrow(expect.objectContaining({ code: 'key_unreadable' }));
    expect(() => readFileSync(file(name))).toThrow('ENOENT');
  });

  it.each(['seal.pem', 'masking.key'])('are refused when they are others by now: %s', (name) => {
    const prints = fingerprintsOf(openKeys(dataDir));
    const other = mkdtempSync(join(tmpdir(), 'sluice-keys-'));
    openKeys(other);
    writeFileSync(file(name), readFileSync(join(keysDirectory(other), name)), { mode: 0o600 });
    rmSync(other, { recursive: true });
    expect(() => readKeys(dataDir, prints)).toThrow(expect.objectContaining({ code: 'key_invalid' }));
  });

  it('are those that the first made for a connector, and no others', () => {
    expect(() => connectorKeys(dataDir, 'read')('any', 'host')).toThrow(
      expect.objectContaining({ code: 'key_unreadable' }),
    );
    const made = connectorKeys(dataDir)('any', 'host');
    expect(connectorKeys(dataDir, 'read')('any', 'host').reveal()).toBe(made.reveal());
  });
});

describe('ids', () => {
  it('carry the prefix, are safe in URLs and file names, and do not repeat', () => {
    const ids = new Set(Array.from({ length: 1000 }, () => randomIds.next('ses')));
    expect(ids.size).toBe(1000);
    for (const id of ids) expect(id).toMatch(/^ses_[a-z2-9]{28}$/);
  });
});
