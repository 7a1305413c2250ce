/**
 * From proofs to principals and from credentials to sessions at the target: keys, certificates, user names, the client's
 * login and our own at the target. It decides nobody's rights: who is proven is asked of `identity`, who may connect
 * of the pipeline.
 */
import { Buffer } from 'node:buffer';
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import type { Redacted } from '@sluice/core/domain/redacted.ts';
import { string, uint32 } from './blob.ts';

const type = 'ssh-ed25519';

/** One of the gateway's own Ed25519 keys. */
export interface OwnKey {
  /** As in `authorized_keys`, without a comment. */
  readonly publicLine: string;
  /** Binary form (RFC 8709 section 4). */
  readonly publicBlob: Buffer;
  /** In OpenSSH's own format, which is the only one that the library reads for this kind of key. */
  privateText(): string;
  /** A signature blob (RFC 8709 section 6). */
  sign(bytes: Buffer): Buffer;
}

/** `pem` is PKCS #8. */
export function ownKey(pem: Redacted): OwnKey {
  const key = createPrivateKey(pem.reveal());
  const raw = rawPublic(createPublicKey(key));
  const publicBlob = Buffer.concat([string(type), string(raw)]);
  return {
    publicLine: `${type} ${publicBlob.toString('base64')}`,
    publicBlob,
    privateText: () => opensshText(key, raw, publicBlob),
    sign: (bytes) => Buffer.concat([string(type), string(sign(null, bytes, key))]),
  };
}

function rawPublic(key: KeyObject): Buffer {
  return Buffer.from(key.export({ format: 'jwk' }).x ?? '', 'base64url');
}

/** OpenSSH's PROTOCOL.key, section 1 to 3: unencrypted, one key. */
function opensshText(key: KeyObject, raw: Buffer, publicBlob: Buffer): string {
  const seed = Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url');
  const check = randomBytes(4);
  const secret = Buffer.concat([
    check,
    check,
    string(type),
    string(raw),
    string(Buffer.concat([seed, raw])),
    string(''),
  ]);
  const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, index) => index + 1));
  const body = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    string('none'),
    string('none'),
    string(''),
    uint32(1),
    string(publicBlob),
    string(Buffer.concat([secret, padding])),
  ]);
  const lines = body.toString('base64').match(/.{1,70}/g) ?? [];
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join('\n')}\n-----END OPENSSH PRIVATE KEY-----\n`;
}
