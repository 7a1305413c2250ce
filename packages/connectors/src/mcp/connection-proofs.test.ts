import type { Identity } from '@sluice/core/contract/identity.ts';
import { unauthenticated } from '@sluice/core/contract/identity.ts';
import type { Principal } from '@sluice/core/domain/principal.ts';
import { Redacted } from '@sluice/core/domain/redacted.ts';
import { beforeEach, expect, test } from 'vitest';
import { ConnectionProofs } from './connection-proofs.ts';

const principal = (subject: string, expiresAt = 100): Principal => ({
  kind: 'agent',
  id: `i#${subject}`,
  issuer: 'i',
  subject,
  displayName: subject,
  groups: [],
  chain: [],
  expiresAt,
});

let now = 0;
let asked: string[] = [];
let uses = Number.POSITIVE_INFINITY;
const identity: Identity = {
  bearer: async (token) => {
    asked.push(`bearer ${token.reveal()}`);
    return principal(token.reveal());
  },
  scramVerifier: () => Promise.reject(new Error('not used here')),
  proves: async (_, secret) => secret.reveal() === 'right',
  redeem: async (id, target) => {
    asked.push(`redeem ${id} ${target}`);
    if (target !== 'shop' || uses-- <= 0) throw unauthenticated(undefined);
    return principal(id, now + 100);
  },
  isCredentialId: (user) => user.startsWith('sac_'),
};
let proofs: ConnectionProofs;
beforeEach(() => {
  now = 0;
  asked = [];
  uses = Number.POSITIVE_INFINITY;
  proofs = new ConnectionProofs(identity, { now: () => now });
});

test('a token is checked each time', async () => {
  for (const _ of [1, 2])
    expect(await proofs.identify(new Redacted('abc'), '')).toMatchObject({ principal: { subject: 'abc' } });
  expect(asked).toEqual(['bearer abc', 'bearer abc']);
});

test('an access credential is redeemed once, also by requests at the same moment, until it has expired', async () => {
  uses = 1;
  const secret = new Redacted('sac_1:right');
  const all = await Promise.all([1, 2, 3].map(() => proofs.identify(secret, 'shop')));
  expect(all.map(({ credential }) => credential)).toEqual(['sac_1', 'sac_1', 'sac_1']);
  expect(asked).toEqual(['redeem sac_1 shop']);
  now = 100;
  await expect(proofs.identify(secret, 'shop')).rejects.toMatchObject({ code: 'unauthenticated' });
});

test('what was proven for one target, or by one secret, is proven for no other', async () => {
  await proofs.identify(new Redacted('sac_1:right'), 'shop');
  await expect(proofs.identify(new Redacted('sac_1:right'), 'other')).rejects.toMatchObject({
    code: 'unauthenticated',
  });
  await expect(proofs.identify(new Redacted('sac_1:wrong'), 'shop')).rejects.toMatchObject({ code: 'unauthenticated' });
  await expect(proofs.identify(new Redacted('sac_1:right'), '')).rejects.toMatchObject({ code: 'unauthenticated' });
});

test('a refusal is not kept', async () => {
  uses = 0;
  const secret = new Redacted('sac_1:right');
  await expect(proofs.identify(secret, 'shop')).rejects.toMatchObject({ code: 'unauthenticated' });
  uses = 1;
  expect(await proofs.identify(secret, 'shop')).toMatchObject({ credential: 'sac_1' });
});
