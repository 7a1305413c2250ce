import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redacted } from '@sluice/core/domain/redacted.ts';
import { type RunningIdentityProvider, startIdentityProvider } from '@sluice/demo/identity/identity-provider.ts';
import { createIdentity, type RunningIdentity } from '@sluice/server/identity/identity.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';

let folder: string;
let provider: RunningIdentityProvider;
let errors: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-oidc-'));
  provider = await startIdentityProvider({ dir: folder });
});
afterAll(async () => {
  await provider.stop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  errors = [];
});

function identity(audience: string): RunningIdentity {
  return createIdentity({
    issuers: [
      {
        issuer: provider.issuer,
        audience: [audience],
        groupsClaim: 'groups',
        kindClaim: 'kind',
        defaultKind: 'user',
        ownerClaim: 'owner',
      },
    ],
    credentials: {
      isCredentialId: () => false,
      verifier: () => Promise.reject(new Error('no access credentials here')),
      holder: async () => undefined,
      proves: () => Promise.resolve(false),
      redeem: () => Promise.resolve(undefined),
    },
    clock: { now: () => Date.now() },
    log: { debug() {}, info() {}, warn() {}, error: (_, message) => errors.push(message) },
  });
}

describe('tokens of a real OpenID provider', () => {
  test('say who an agent is and who owns it', async () => {
    const token = new Redacted(await provider.token('agent'));
    expect(await identity(provider.audience).bearer(token)).toMatchObject({
      kind: 'agent',
      id: `${provider.issuer}#support-agent`,
      groups: ['react-agents'],
      owner: { kind: 'user', id: `${provider.issuer}#dana` },
    });
  });

  test('say who a user is', async () => {
    const token = new Redacted(await provider.token('dba'));
    expect(await identity(provider.audience).bearer(token)).toMatchObject({
      kind: 'user',
      subject: 'alex',
      groups: ['dba', 'on-call'],
    });
  });

  test('are of no use to another audience', async () => {
    const token = new Redacted(await provider.token('dba'));
    await expect(identity('urn:another').bearer(token)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  test('are accepted once the provider is back', async () => {
    const token = new Redacted(await provider.token('dba'));
    await provider.stop();
    const waiting = identity(provider.audience);
    await waiting.preload();
    await expect(waiting.bearer(token)).rejects.toMatchObject({ code: 'unauthenticated' });
    expect(errors).toHaveLength(1);
    provider = await startIdentityProvider({ dir: folder });
    expect(await identity(provider.audience).bearer(token)).toMatchObject({ subject: 'alex' });
  });
});
