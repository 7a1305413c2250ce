/**
 * For the tests of this folder: issuers on loopback, and an identity over them whose clock the test moves and whose log
 * it reads. No test of its own.
 */
import { CoreError } from '@sluice/core/domain/error.ts';
import { Redacted } from '@sluice/core/domain/redacted.ts';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { createIdentity, type IdentityParts, type RunningIdentity } from '../identity.ts';
import type { IssuerSettings } from '../issuer-settings.ts';
import type { RefusalReason } from '../refusal.ts';
import { startTestIssuer, type TestIssuer } from './test-issuer.ts';

export const start = Date.UTC(2026, 0, 2, 3, 4, 5);
export let issuer: TestIssuer;
export let other: TestIssuer;
export let now: number;
export let refusals: RefusalReason[];
export let logged: [string, object, string][];

/** Call it at the top of a test file: two issuers, and everything fresh for each test. */
export function useIssuers(): void {
  beforeAll(async () => {
    issuer = await startTestIssuer();
    other = await startTestIssuer();
  });
  afterAll(() => Promise.all([issuer.stop(), other.stop()]));
  beforeEach(() => {
    now = start;
    refusals = [];
    logged = [];
    issuer.requests.clear();
  });
  afterEach(() => {
    issuer.answer('/jwks', undefined);
    issuer.answer('/.well-known/openid-configuration', undefined);
  });
}

/** Lets time pass; milliseconds. */
export function advance(ms: number): void {
  now += ms;
}

export const settingsOf = (url: string, changes: Partial<IssuerSettings> = {}): IssuerSettings => ({
  issuer: url,
  audience: ['sluice'],
  groupsClaim: 'groups',
  kindClaim: 'kind',
  defaultKind: 'user',
  ownerClaim: 'owner',
  ...changes,
});

export function identityWith(
  changes: Partial<IssuerSettings> = {},
  parts: Partial<IdentityParts> = {},
): RunningIdentity {
  const log =
    (level: string) =>
    (fields: object, message: string): void => {
      logged.push([level, fields, message]);
    };
  return createIdentity({
    issuers: [settingsOf(issuer.url, changes), settingsOf(other.url, { groupsPrefix: 'other:' })],
    credentials: {
      isCredentialId: (user) => user.startsWith('sac_'),
      verifier: () => Promise.reject(new Error('not in this test')),
      holder: async () => undefined,
      proves: () => Promise.resolve(false),
      redeem: () => Promise.resolve(undefined),
    },
    clock: { now: () => now },
    log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    refused: (reason) => refusals.push(reason),
    ...parts,
  });
}

export const seconds = (offset = 0): number => Math.floor(now / 1000) + offset;

export function claims(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return { iss: issuer.url, aud: 'sluice', sub: 'dana', iat: seconds(), exp: seconds(300), ...changes };
}

export async function outcome(identity: RunningIdentity, token: string): Promise<unknown> {
  const error: unknown = await identity.bearer(new Redacted(token)).catch((reason: unknown) => reason);
  return error;
}

/** One public text, whatever the reason; returns the reason. */
export async function refusal(identity: RunningIdentity, token: string): Promise<string> {
  const error = await outcome(identity, token);
  expect(error).toBeInstanceOf(CoreError);
  expect(error).toMatchObject({
    code: 'unauthenticated',
    source: 'client',
    publicMessage:
      'Authentication failed. Get a fresh token from your identity provider, or a fresh access credential, and try again.',
  });
  // The log must be of no use to a thief.
  if (token.length > 40) expect(JSON.stringify(logged)).not.toContain(token.slice(-40));
  return refusals.at(-1) ?? 'not reported';
}
