import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { CoreError } from '@sluice/core/domain/error.ts';
import { BlobReader, string, uint32, uint64 } from './blob.ts';
import type { OwnKey } from './keys.ts';
import { type PublicKey, readKeyFields, readPublicKey } from './public-key.ts';

/** OpenSSH's PROTOCOL.certkeys: a key of this type, certified. */
const suffix = '-cert-v01@openssh.com';
/** Certificate types: 1 a user's, 2 a host's. */
const userCertificate = 1;
/** The client's clock and ours need not agree to the second. */
const earlier = 60;
const longest = 16 * 1024;

/** What a certificate that is good says. */
export interface Certified {
  /** Id of the access credential it was made for. */
  readonly credential: string;
  readonly target: string;
  readonly terminal: boolean;
  readonly key: PublicKey;
}

/** Whether the name of a key's algorithm is that of a certificate. */
export function isCertificateAlgorithm(algorithm: string): boolean {
  return algorithm.endsWith(suffix);
}

/** A certificate for the client's public key, in the form of a `…-cert.pub` file. */
export function certify(
  authority: OwnKey,
  wish: {
    readonly credential: string;
    readonly target: string;
    readonly publicKey: string;
    readonly expiresAt: number;
  },
  now: number,
): string {
  const key = clientKey(wish.publicKey);
  const signed = Buffer.concat([
    string(`${key.type}${suffix}`),
    string(randomBytes(32)),
    key.fields,
    uint64(randomBytes(8).readBigUInt64BE() >> 1n),
    uint32(userCertificate),
    string(wish.credential),
    string(string(wish.target)),
    uint64(BigInt(Math.floor(now / 1000) - earlier)),
    uint64(BigInt(Math.floor(wish.expiresAt / 1000))),
    string(''),
    string(Buffer.concat([string('permit-pty'), string('')])),
    string(''),
    string(authority.publicBlob),
  ]);
  const blob = Buffer.concat([signed, string(authority.sign(signed))]);
  return `${key.type}${suffix} ${blob.toString('base64')} sluice:${wish.credential}`;
}

function clientKey(line: string): PublicKey {
  const [type, base64 = ''] = line.trim().split(/\s+/);
  try {
    const key = readPublicKey(Buffer.from(base64, 'base64'));
    if (key.type === type) return key;
  } catch {
    // Said below.
  }
  throw new CoreError(
    'client_protocol',
    'client',
    'This is no public key that can be certified. Send one line as in `id_ed25519.pub`: ssh-ed25519, ecdsa-sha2-nistp*, or ssh-rsa with 2048 to 8192 bits.',
  );
}

/**
 * Checks everything but that the client holds the key. `algorithm` is what the client said it uses. Throws `RangeError`
 * with the reason, which is for the gateway's log.
 */
export function readCertificate(authority: OwnKey, blob: Buffer, algorithm: string, now: number): Certified {
  if (blob.length > longest) throw new RangeError('a certificate that is too long');
  const reader = new BlobReader(blob);
  const type = reader.text();
  if (!type.endsWith(suffix)) throw new RangeError('no certificate');
  reader.string(); // The nonce is the authority's protection, not ours.
  const key = readKeyFields(type.slice(0, -suffix.length), reader);
  const algorithms = key.signatures.map((name) => `${name}${suffix}`);
  if (!algorithms.includes(algorithm)) throw new RangeError('an algorithm that is not the key’s');
  reader.uint64(); // Serial; what can be revoked is the access credential.
  const kind = reader.uint32();
  const credential = reader.text();
  const principals = stringsIn(reader.string());
  const [after, before] = [reader.uint64(), reader.uint64()];
  const critical = reader.string();
  const extensions = optionsIn(reader.string());
  reader.string(); // Reserved.
  const signer = reader.string();
  const signed = blob.subarray(0, reader.offset);
  const signature = reader.string();
  reader.end();
  // A certificate as the signing key would be a chain, which certificates of SSH do not have: only the very key counts.
  if (!signer.equals(authority.publicBlob)) throw new RangeError('signed by another authority');
  if (!readPublicKey(authority.publicBlob).verifies(signed, signature)) throw new RangeError('a wrong signature');
  if (kind !== userCertificate) throw new RangeError('no certificate for a user');
  if (critical.length > 0) throw new RangeError('critical options, of which none is known');
  const seconds = BigInt(Math.floor(now / 1000));
  if (seconds < after) throw new RangeError('not valid yet');
  if (seconds >= before) throw new RangeError('expired');
  const [target] = principals;
  if (target === undefined || principals.length > 1) throw new RangeError('not for one target');
  return { credential, target, terminal: extensions.has('permit-pty'), key };
}

function stringsIn(bytes: Buffer): string[] {
  const reader = new BlobReader(bytes);
  const found: string[] = [];
  while (reader.left > 0) found.push(reader.text());
  return found;
}

/** Names of options; each must stand once, in order, as the format demands. */
function optionsIn(bytes: Buffer): ReadonlySet<string> {
  const reader = new BlobReader(bytes);
  const names: string[] = [];
  while (reader.left > 0) {
    names.push(reader.text());
    reader.string();
  }
  if (names.some((name, index) => index > 0 && name <= (names[index - 1] ?? ''))) {
    throw new RangeError('options out of order');
  }
  return new Set(names);
}
