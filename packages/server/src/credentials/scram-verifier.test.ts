import { createHash, createHmac } from 'node:crypto';
import { ScramClient, ScramServer } from '@sluice/connectors/wire/scram.ts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { platformDigests } from '../crypto/digests.ts';
import { saltFor, unsatisfiable, verifierFor } from './scram-verifier.ts';

const digests = platformDigests(Buffer.alloc(32, 7));

async function login(verifier: Awaited<ReturnType<typeof verifierFor>>, secret: string): Promise<void> {
  const client = new ScramClient({ kind: 'none' });
  const server = new ScramServer(verifier, 'SCRAM-SHA-256', undefined);
  client.verify(server.final(await client.final(server.first(client.first()), secret)));
}

describe('a SCRAM verifier', () => {
  test('agrees with the example of RFC 7677 section 3', async () => {
    const verifier = await verifierFor('pencil', Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'));
    const nonce = 'rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0';
    const auth = `n=user,r=rOprNGfwEbeRWgbNEkqO,r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r=${nonce}`;
    const serverSignature = createHmac('sha256', verifier.serverKey).update(auth).digest('base64');
    expect(serverSignature).toBe('6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
    const proof = Buffer.from('dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=', 'base64');
    const signature = createHmac('sha256', verifier.storedKey).update(auth).digest();
    const clientKey = proof.map((byte, index) => byte ^ (signature[index] ?? 0));
    expect(createHash('sha256').update(clientKey).digest()).toEqual(verifier.storedKey);
  });

  test('lets in who knows the secret, and nobody else', async () => {
    const verifier = await verifierFor('right', saltFor('sac_1', digests));
    await login(verifier, 'right');
    await expect(login(verifier, 'wrong')).rejects.toThrow();
    await expect(login(verifier, '')).rejects.toThrow();
  });

  test('for an unknown id looks like one for a known id, stays the same, and lets nobody in', async () => {
    const real = await verifierFor('secret', saltFor('sac_1', digests));
    const fake = unsatisfiable('sac_1', digests);
    expect([fake.salt, fake.iterations]).toEqual([real.salt, real.iterations]);
    expect(fake).toEqual(unsatisfiable('sac_1', digests));
    await expect(login(fake, 'secret')).rejects.toThrow();
    await expect(login(fake, '')).rejects.toThrow();
  });

  test('has a salt of its own for each id and each deployment', () => {
    const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        fc.pre(a !== b);
        expect(hex(saltFor(a, digests))).not.toBe(hex(saltFor(b, digests)));
        expect(saltFor(a, digests)).toHaveLength(16);
      }),
      { numRuns: 50 },
    );
    expect(hex(saltFor('sac_1', platformDigests(Buffer.alloc(32, 8))))).not.toBe(hex(saltFor('sac_1', digests)));
  });
});
