/**
 * What `sluice access` leaves on the caller's disk so that clients can log in with a certificate: a key pair made here,
 * whose private half goes nowhere else, the certificate, and the keys by which the gateway is known. All in the files
 * and forms of OpenSSH, which its own client and most others read. Nothing here talks to the gateway.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';

/** In OpenSSH's text forms, each with its line end. */
export interface KeyPair {
  /** Not encrypted (PROTOCOL.key): it is made to live for minutes. */
  readonly privateKey: string;
  readonly publicKey: string;
}

const algorithm = 'ssh-ed25519';
/** Of the cipher "none" (PROTOCOL.key). */
const blockSize = 8;

/** A new Ed25519 key pair. `comment` is printable ASCII without blanks. */
export function newKeyPair(comment: string): KeyPair {
  const { privateKey } = generateKeyPairSync('ed25519');
  const { x = '', d = '' } = privateKey.export({ format: 'jwk' });
  const [point, seed] = [Buffer.from(x, 'base64url'), Buffer.from(d, 'base64url')];
  const publicBlob = Buffer.concat([field(algorithm), field(point)]);
  return {
    privateKey: armored(privateBlob(publicBlob, point, seed, comment)),
    publicKey: `${algorithm} ${publicBlob.toString('base64')} ${comment}\n`,
  };
}

/** PROTOCOL.key, sections 1 and 3. */
function privateBlob(publicBlob: Buffer, point: Buffer, seed: Buffer, comment: string): Buffer {
  const check = randomBytes(4);
  const secret = [check, check, publicBlob, field(Buffer.concat([seed, point])), field(comment)];
  const length = secret.reduce((sum, part) => sum + part.length, 0);
  const padding = Buffer.from(Array.from({ length: -length & (blockSize - 1) }, (_, index) => index + 1));
  const [cipher, kdf, kdfOptions, keys] = [field('none'), field('none'), field(''), uint32(1)];
  const start = [Buffer.from('openssh-key-v1\0'), cipher, kdf, kdfOptions, keys];
  return Buffer.concat([...start, field(publicBlob), field(Buffer.concat([...secret, padding]))]);
}

function armored(blob: Buffer): string {
  const lines = blob.toString('base64').match(/.{1,70}/g) ?? [];
  return ['-----BEGIN OPENSSH PRIVATE KEY-----', ...lines, '-----END OPENSSH PRIVATE KEY-----', ''].join('\n');
}

/** A `string` of RFC 4251 section 5. */
function field(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
