import { Buffer } from 'node:buffer';
import { generateKeyPairSync } from 'node:crypto';
import { Redacted } from '@sluice/core/domain/redacted.ts';
import ssh2 from 'ssh2';
import { expect, test } from 'vitest';
import { ownKey } from './keys.ts';
import { readPublicKey } from './public-key.ts';

test('a key of the gateway is the same key in the library’s eyes', () => {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const own = ownKey(new Redacted(pem));
  const parsed = ssh2.utils.parseKey(own.privateText());
  if (parsed instanceof Error) throw parsed;
  expect(parsed.type).toBe('ssh-ed25519');
  expect(parsed.getPublicSSH()).toEqual(own.publicBlob);
  expect(own.publicLine).toBe(`ssh-ed25519 ${own.publicBlob.toString('base64')}`);
  const words = Buffer.from('words');
  expect(readPublicKey(own.publicBlob).verifies(words, own.sign(words))).toBe(true);
  expect(parsed.verify(words, own.sign(words).subarray(-64))).toBe(true);
});
