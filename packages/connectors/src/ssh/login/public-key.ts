import { Buffer } from 'node:buffer';
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { BlobReader, string } from './blob.ts';

/** The keys that a client may hold: their type's name, and how a signature by them is checked. */
export interface PublicKey {
  readonly type: string;
  /** Names of signature algorithms that are taken from this key; never SHA-1. */
  readonly signatures: readonly string[];
  /** The fields behind the type's name, as they stand in a key and in a certificate. */
  readonly fields: Buffer;
  /** `signature` is a whole signature blob: name and value. False for anything that does not fit, never a throw. */
  verifies(message: Buffer, signature: Buffer): boolean;
}

/** RSA keys below can be broken, above take long to check. */
const rsaBits = { least: 2_048, most: 8_192 };

const curves: ReadonlyMap<string, { readonly jwk: string; readonly size: number; readonly hash: string }> = new Map([
  ['nistp256', { jwk: 'P-256', size: 32, hash: 'sha256' }],
  ['nistp384', { jwk: 'P-384', size: 48, hash: 'sha384' }],
  ['nistp521', { jwk: 'P-521', size: 66, hash: 'sha512' }],
]);

/** A key in binary form. Throws `RangeError` for what is no key, or none that is taken. */
export function readPublicKey(blob: Buffer): PublicKey {
  const reader = new BlobReader(blob);
  const key = readKeyFields(reader.text(), reader);
  reader.end();
  return key;
}

/** The fields of a key of this type, wherever they stand. */
export function readKeyFields(type: string, reader: BlobReader): PublicKey {
  switch (type) {
    case 'ssh-ed25519':
      return ed25519(type, reader.string());
    case 'ssh-rsa':
      return rsa(type, reader.string(), reader.string());
    case 'ecdsa-sha2-nistp256':
    case 'ecdsa-sha2-nistp384':
    case 'ecdsa-sha2-nistp521':
      return ecdsa(type, reader.text(), reader.string());
    default:
      throw new RangeError('a key of a type that is not taken');
  }
}

function ed25519(type: string, raw: Buffer): PublicKey {
  if (raw.length !== 32) throw new RangeError('an Ed25519 key has 32 bytes');
  const key = imported({ kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') });
  return {
    type,
    signatures: [type],
    fields: string(raw),
    verifies: checking([type], (_, message, value) => value.length === 64 && verify(null, message, key, value)),
  };
}

/** RFC 8332: the key's type says nothing about the hash; the signature's does. */
function rsa(type: string, e: Buffer, n: Buffer): PublicKey {
  const modulus = withoutSign(n);
  const bits = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24;
  if (bits < rsaBits.least || bits > rsaBits.most || e.length > 5) throw new RangeError('an RSA key of an odd size');
  const key = imported({
    kty: 'RSA',
    n: modulus.toString('base64url'),
    e: withoutSign(e).toString('base64url'),
  });
  const signatures = ['rsa-sha2-512', 'rsa-sha2-256'];
  return {
    type,
    signatures,
    fields: Buffer.concat([string(e), string(n)]),
    verifies: checking(signatures, (name, message, value) =>
      verify(name === 'rsa-sha2-512' ? 'sha512' : 'sha256', message, key, value),
    ),
  };
}

/** RFC 5656 section 3.1. */
function ecdsa(type: string, curve: string, point: Buffer): PublicKey {
  const known = curves.get(curve);
  if (!known || type !== `ecdsa-sha2-${curve}`) throw new RangeError('a curve that is not the type’s');
  const { jwk, size, hash } = known;
  if (point.length !== 1 + 2 * size || point[0] !== 4) throw new RangeError('a point that is not uncompressed');
  const coordinate = (start: number): string => point.subarray(start, start + size).toString('base64url');
  const key = imported({ kty: 'EC', crv: jwk, x: coordinate(1), y: coordinate(1 + size) });
  return {
    type,
    signatures: [type],
    fields: Buffer.concat([string(Buffer.from(curve)), string(point)]),
    verifies: checking([type], (_, message, value) => {
      const reader = new BlobReader(value);
      const [r, s] = [withoutSign(reader.string()), withoutSign(reader.string())];
      reader.end();
      if (r.length > size || s.length > size) return false;
      const flat = Buffer.alloc(2 * size);
      r.copy(flat, size - r.length);
      s.copy(flat, 2 * size - s.length);
      return verify(hash, message, { key, dsaEncoding: 'ieee-p1363' }, flat);
    }),
  };
}

/** Takes the signature blob apart: its name must be one of those that fit the key. */
function checking(
  names: readonly string[],
  check: (name: string, message: Buffer, value: Buffer) => boolean,
): PublicKey['verifies'] {
  return (message, signature) => {
    try {
      const reader = new BlobReader(signature);
      const name = reader.text();
      const value = reader.string();
      reader.end();
      return names.includes(name) && check(name, message, value);
    } catch {
      return false;
    }
  };
}

function imported(jwk: Readonly<Record<string, string>>): KeyObject {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' });
  } catch {
    throw new RangeError('no key has these numbers');
  }
}

/** Numbers are signed (RFC 4251 section 5, `mpint`); ours are not. */
function withoutSign(number: Buffer): Buffer {
  let start = 0;
  while (start < number.length - 1 && number[start] === 0) start++;
  return number.subarray(start);
}
