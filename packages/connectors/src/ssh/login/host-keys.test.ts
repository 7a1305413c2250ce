import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { string } from './blob.ts';
import { algorithmsFor, fingerprintOf, isPinned, pinProblem } from './host-keys.ts';

const blob = Buffer.concat([string('ssh-ed25519'), string(Buffer.alloc(32, 7))]);
const other = Buffer.concat([string('ssh-ed25519'), string(Buffer.alloc(32, 8))]);
const line = `ssh-ed25519 ${blob.toString('base64')}`;

describe('a host key', () => {
  test('is known by its line, with or without a comment, and by its fingerprint', () => {
    for (const pin of [line, `${line} root@web`, fingerprintOf(blob)]) {
      expect(pinProblem(pin)).toBeUndefined();
      expect(isPinned([fingerprintOf(other), pin], blob)).toBe(true);
      expect(isPinned([pin], other)).toBe(false);
    }
    expect(isPinned([], blob)).toBe(false);
  });

  test.each([
    ['', 'neither'],
    ['web.example.com', 'neither'],
    ['ssh-dss AAAA', 'neither'],
    ['SHA256:short', 'no SHA-256 fingerprint'],
    ['MD5:00:11', 'neither'],
    [`ssh-rsa ${blob.toString('base64')}`, 'no public key'],
    [`${line}!!`, 'no public key'],
    ['ssh-ed25519', 'no public key'],
  ])('can not be pinned by %j', (pin, why) => {
    expect(pinProblem(pin)).toContain(why);
  });

  test('is asked for by its own kind, so that a server with several shows the right one', () => {
    expect(algorithmsFor([line])).toEqual(['ssh-ed25519']);
    expect(algorithmsFor([line, fingerprintOf(other)])).toContain('rsa-sha2-256');
    expect(algorithmsFor([fingerprintOf(other)])).not.toContain('ssh-rsa');
  });
});
