import { Buffer } from 'node:buffer';
import { generateKeyPairSync, sign } from 'node:crypto';
import { Redacted } from '@sluice/core/domain/redacted.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { string } from './blob.ts';
import { certify, readCertificate } from './certificate.ts';
import { type OwnKey, ownKey } from './keys.ts';
import { readPublicKey } from './public-key.ts';

const now = Date.parse('2026-05-01T12:00:00Z');
const hour = 3_600_000;
const authority = key();
const algorithm = 'ssh-ed25519-cert-v01@openssh.com';

function key(): OwnKey {
  const { privateKey } = generateKeyPairSync('ed25519');
  return ownKey(new Redacted(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()));
}

function certificate(by = authority, over: Partial<Parameters<typeof certify>[1]> = {}, at = now): Buffer {
  const wish = { credential: 'cred_x', target: 'web', publicKey: key().publicLine, expiresAt: now + hour, ...over };
  return Buffer.from(certify(by, wish, at).split(' ')[1] ?? '', 'base64');
}

/** The same certificate with one byte string put in the place of another, signed anew. */
function resigned(blob: Buffer, from: Buffer, to: Buffer): Buffer {
  const signature = string(authority.sign(Buffer.alloc(0))).length;
  const signed = blob.subarray(0, blob.length - signature);
  const at = signed.indexOf(from);
  const changed = Buffer.concat([signed.subarray(0, at), to, signed.subarray(at + from.length)]);
  return Buffer.concat([changed, string(authority.sign(changed))]);
}

describe('a certificate', () => {
  test('says for which credential and target it is, and whose key it is', () => {
    const mine = key();
    const read = readCertificate(authority, certificate(authority, { publicKey: mine.publicLine }), algorithm, now);
    expect(read).toMatchObject({ credential: 'cred_x', target: 'web', terminal: true });
    const words = Buffer.from('words');
    expect(read.key.verifies(words, mine.sign(words))).toBe(true);
    expect(read.key.verifies(words, key().sign(words))).toBe(false);
    expect(read.key.verifies(Buffer.from('other'), mine.sign(words))).toBe(false);
  });

  test.each([
    ['signed by another authority', certificate(key()), now, 'another authority'],
    ['that has expired', certificate(), now + hour, 'expired'],
    ['that is not valid yet', certificate(), now - hour, 'not valid yet'],
    ['for a host', resigned(certificate(), userType(1), userType(2)), now, 'for a user'],
    ['for two targets', resigned(certificate(), principals('web'), principals('web', 'db')), now, 'one target'],
    ['for any target', resigned(certificate(), principals('web'), principals()), now, 'one target'],
    ['with a critical option', resigned(certificate(), options(''), options('force-command')), now, 'critical'],
  ])('%s is refused', (_, blob, at, why) => {
    expect(() => readCertificate(authority, blob, algorithm, at)).toThrow(why);
  });

  test('signed by a certificate in place of the authority is refused', () => {
    const nested = certificate();
    const blob = certificate();
    const swapped = resigned(blob, string(authority.publicBlob), string(nested));
    expect(() => readCertificate(authority, swapped, algorithm, now)).toThrow();
  });

  test('is refused under the name of another algorithm, and a bare key under any', () => {
    expect(() => readCertificate(authority, certificate(), 'ssh-rsa-cert-v01@openssh.com', now)).toThrow('algorithm');
    expect(() => readCertificate(authority, key().publicBlob, algorithm, now)).toThrow('no certificate');
  });

  test('of which any byte is changed is refused, and so is any part of it', () => {
    const blob = certificate();
    const bytes = { min: 0, max: blob.length - 1 };
    fc.assert(
      fc.property(fc.integer(bytes), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const changed = Buffer.from(blob);
        changed[at] = (changed[at] ?? 0) ^ by;
        expect(() => readCertificate(authority, changed, algorithm, now)).toThrow();
        expect(() => readCertificate(authority, blob.subarray(0, at), algorithm, now)).toThrow();
      }),
      { numRuns: 300 },
    );
  });

  test('that is any bytes at all is refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const blob = Buffer.concat([string(algorithm), Buffer.from(bytes)]);
        expect(() => readCertificate(authority, blob, algorithm, now)).toThrow(RangeError);
      }),
    );
  });

  test.each([
    ['nothing', ''],
    ['no key', 'ssh-ed25519 AAAA'],
    ['a key under the name of another', key().publicLine.replace('ssh-ed25519', 'ssh-rsa')],
    ['a short RSA key', rsaLine(1024)],
  ])('is not made for %s', (_, publicKey) => {
    expect(() => certificate(authority, { publicKey })).toThrow('no public key that can be certified');
  });
});

describe('a key of a client', () => {
  test.each(['nistp256', 'nistp384', 'nistp521'])('may be on the curve %s', (curve) => {
    const names: Record<string, string> = { nistp256: 'P-256', nistp384: 'P-384', nistp521: 'P-521' };
    const hashes: Record<string, string> = { nistp256: 'sha256', nistp384: 'sha384', nistp521: 'sha512' };
    const pair = generateKeyPairSync('ec', { namedCurve: names[curve] ?? '' });
    const { x = '', y = '' } = pair.publicKey.export({ format: 'jwk' });
    const point = Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]);
    const type = `ecdsa-sha2-${curve}`;
    const read = readPublicKey(Buffer.concat([string(type), string(curve), string(point)]));
    const words = Buffer.from('words');
    const flat = sign(hashes[curve], words, { key: pair.privateKey, dsaEncoding: 'ieee-p1363' });
    const half = flat.length / 2;
    const positive = (part: Buffer): Buffer => Buffer.concat([Buffer.from([0]), part]);
    const value = Buffer.concat([string(positive(flat.subarray(0, half))), string(positive(flat.subarray(half)))]);
    expect(read.verifies(words, Buffer.concat([string(type), string(value)]))).toBe(true);
    expect(read.verifies(Buffer.from('x'), Buffer.concat([string(type), string(value)]))).toBe(false);
  });

  test('of RSA signs with SHA-2 and never with SHA-1', () => {
    const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const read = readPublicKey(rsaBlob(pair.publicKey.export({ format: 'jwk' })));
    const words = Buffer.from('words');
    const by = (name: string, hash: string): Buffer =>
      Buffer.concat([string(name), string(sign(hash, words, pair.privateKey))]);
    expect(read.verifies(words, by('rsa-sha2-256', 'sha256'))).toBe(true);
    expect(read.verifies(words, by('rsa-sha2-512', 'sha512'))).toBe(true);
    expect(read.verifies(words, by('ssh-rsa', 'sha1'))).toBe(false);
    expect(read.verifies(words, by('rsa-sha2-512', 'sha256'))).toBe(false);
  });

  test('is any bytes, or refused; a signature that is any bytes is none', () => {
    const read = readPublicKey(key().publicBlob);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(() => readPublicKey(Buffer.concat([string('ssh-ed25519'), Buffer.from(bytes)]))).toThrow(RangeError);
        expect(read.verifies(Buffer.from('words'), Buffer.from(bytes))).toBe(false);
      }),
    );
  });
});

function userType(kind: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(kind);
  return Buffer.concat([bytes, string('cred_x')]);
}

function principals(...names: readonly string[]): Buffer {
  return Buffer.concat([string('cred_x'), string(Buffer.concat(names.map((name) => string(name))))]);
}

/** Critical options stand in front of the extensions. */
function options(name: string): Buffer {
  const critical = name === '' ? string('') : string(Buffer.concat([string(name), string('')]));
  return Buffer.concat([critical, string(Buffer.concat([string('permit-pty'), string('')]))]);
}

function rsaBlob({ n = '', e = '' }: { n?: string; e?: string }): Buffer {
  const modulus = Buffer.concat([Buffer.from([0]), Buffer.from(n, 'base64url')]);
  return Buffer.concat([string('ssh-rsa'), string(Buffer.from(e, 'base64url')), string(modulus)]);
}

function rsaLine(bits: number): string {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: bits });
  return `ssh-rsa ${rsaBlob(publicKey.export({ format: 'jwk' })).toString('base64')}`;
}
