import type { Opening } from '@sluice/core/contract/connector.ts';
import { expect, test } from 'vitest';
import { stillAdmitted } from './still-admitted.ts';

const opening = (credential?: string): Opening => ({
  principal: {
    kind: 'agent',
    id: 'i#bot',
    issuer: 'i',
    subject: 'bot',
    displayName: 'bot',
    groups: [],
    owner: { kind: 'user', id: 'i#olga' },
    chain: [],
    expiresAt: 100,
  },
  target: 'shop',
  ...(credential === undefined ? {} : { credential }),
  onHold: () => {},
  gone: new Promise(() => {}),
});

const records = new Map([
  ['good', { expiresAt: 100 }],
  ['old', { expiresAt: 50 }],
  ['revoked', { expiresAt: 100, revokedAt: 10 }],
]);

function ask(credential?: string, disabled: readonly string[] = [], vouched = false): Promise<void> {
  const parts = {
    vouched: () => vouched,
    credential: async (id: string) => records.get(id),
    disabledAmong: async (ids: readonly string[]) => ids.filter((id) => disabled.includes(id)),
    now: () => 50,
  };
  return stillAdmitted(parts, opening(credential));
}

test.each([undefined, 'good'])('a proof that still holds opens (%s)', async (credential) => {
  await expect(ask(credential)).resolves.toBeUndefined();
});

test.each(['old', 'revoked', 'unknown'])(
  'an access credential that is %s opens nothing any more',
  async (credential) => {
    await expect(ask(credential)).rejects.toMatchObject({ code: 'unauthenticated' });
  },
);

test.each(['i#bot', 'i#olga'])('nothing opens for or behind a principal that was disabled: %s', async (id) => {
  await expect(ask(undefined, [id])).rejects.toMatchObject({ code: 'unauthenticated' });
});

test('what a proof of a moment ago vouches for is not asked about again', async () => {
  await expect(ask('good', ['i#olga'], true)).resolves.toBeUndefined();
});
