import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Principal } from '@sluice/core/domain/principal.ts';
import type { SessionInfo } from '@sluice/core/domain/session.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestPostgres, type TestPostgres } from '../../../../test/harness/postgres.ts';
import { prepareStore } from '../../../../test/harness/prepared-store.ts';
import type { AccessCredentialRow } from './access-credential-rows.ts';
import { accessCredentialRows } from './access-credentials.ts';
import { principalRows } from './principals.ts';
import { sessionIndex } from './sessions.ts';
import { openStore } from './store.ts';
import type { Store } from './store-port.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

const principal: Principal = {
  kind: 'agent',
  id: 'https://idp.example#bot',
  issuer: 'https://idp.example',
  subject: 'bot',
  displayName: "Bot “ö” 'quoted' \\",
  groups: ['react-agents', 'b'],
  owner: { kind: 'user', id: 'https://idp.example#olga' },
  chain: [{ kind: 'user', id: 'https://idp.example#carl' }],
  expiresAt: 2_000,
};

const credential: AccessCredentialRow = {
  id: 'sac_1',
  verifier: {
    salt: Uint8Array.from([0, 1, 255]),
    iterations: 4096,
    storedKey: new Uint8Array(32).fill(7),
    serverKey: new Uint8Array(32).fill(9),
  },
  principal,
  target: 'shop',
  createdAt: 100,
  expiresAt: 1_000,
};

let server: TestPostgres;
let folder: string;

/** A callback, and a promise of what it is first called with. */
function listening<T>() {
  let callback: (value: T) => void = () => {};
  const heard = new Promise<T>((resolve) => {
    callback = resolve;
  });
  return { heard, callback };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-test-rows-'));
  await prepareStore(folder);
  server = await createTestPostgres();
});
afterAll(async () => {
  await server.stop('immediate');
  await rm(folder, { recursive: true, force: true });
});

describe.each([
  ['embedded', () => openStore({ kind: 'embedded', dir: folder }, quiet)],
  ['postgres', () => openStore({ kind: 'postgres', url: server.url }, quiet)],
] as const)('rows in a store of kind %s', (_kind, open) => {
  let store: Store;
  beforeAll(async () => {
    store = await open();
  });
  afterAll(() => store.close());

  describe('access credentials', () => {
    beforeEach(() => store.db.deleteFrom('access_credentials').execute());
    const rows = () => accessCredentialRows(store);

    it('come back as they went in', async () => {
      const limited = { ...credential, id: 'sac_2', usesLeft: 3, createdAt: 200 };
      await rows().insert(credential);
      await rows().insert(limited);
      const found = await rows().find('sac_1');
      expect(found).toMatchObject({ ...credential, verifier: { iterations: 4096 } });
      expect(found).not.toHaveProperty('usesLeft');
      expect([...found!.verifier.salt]).toEqual([0, 1, 255]);
      expect([...found!.verifier.serverKey]).toEqual([...credential.verifier.serverKey]);
      expect((await rows().listByPrincipal(principal.id)).map((row) => row.id)).toEqual(['sac_2', 'sac_1']);
      expect(await rows().listByPrincipal('x')).toEqual([]);
      expect(await rows().find('sac_none')).toBeUndefined();
      await expect(rows().insert(credential)).rejects.toMatchObject({ code: '23505' });
    });

    it('are spent as often as they may be, whoever asks at once', async () => {
      await rows().insert({ ...credential, usesLeft: 3 });
      const spent = await Promise.all(Array.from({ length: 8 }, () => rows().spend('sac_1', 'shop', 500)));
      expect(
        spent
          .filter((row) => row)
          .map((row) => row!.usesLeft)
          .sort(),
      ).toEqual([0, 1, 2]);
      expect((await rows().find('sac_1'))?.usesLeft).toBe(0);
    });

    it.each<[string, Partial<AccessCredentialRow>, string, number, boolean]>([
      ['in time, without a limit', {}, 'shop', 999, true],
      ['at the end of its time', {}, 'shop', 1_000, false],
      ['for another target', {}, 'crm', 500, false],
      ['revoked', { revokedAt: 300 }, 'shop', 500, false],
      ['used up', { usesLeft: 0 }, 'shop', 500, false],
    ])('%s: %#', async (_what, more, target, now, good) => {
      await rows().insert({ ...credential, ...more });
      expect((await rows().spend('sac_1', target, now)) !== undefined).toBe(good);
    });

    it('are revoked once, and everybody hears of it', async () => {
      await rows().insert(credential);
      const { heard, callback } = listening<string | undefined>();
      await rows().onRevoked(callback);
      expect(await rows().revoke('sac_none', 400)).toBe(false);
      expect(await rows().revoke('sac_1', 400)).toBe(true);
      expect(await rows().revoke('sac_1', 401)).toBe(false);
      expect(await heard).toBe('sac_1');
      expect((await rows().find('sac_1'))?.revokedAt).toBe(400);
    });

    it('are removed when long expired', async () => {
      await rows().insert(credential);
      expect(await rows().removeExpired(1_000)).toBe(0);
      expect(await rows().removeExpired(1_001)).toBe(1);
      expect(await rows().find('sac_1')).toBeUndefined();
    });
  });

  describe('principals', () => {
    let now = 0;
    const rows = () => principalRows(store, { now: () => now });
    beforeEach(async () => {
      now = 100;
      await store.db.deleteFrom('principals').execute();
      await store.db.deleteFrom('disabled_principals').execute();
    });

    it('are known by their newest proof', async () => {
      await rows().seen(principal);
      now = 200;
      await rows().seen({ ...principal, groups: ['c'] });
      now = 150;
      await rows().seen({ ...principal, groups: ['late'] });
      expect(await rows().find(principal.id)).toEqual({
        kind: 'agent',
        id: principal.id,
        displayName: principal.displayName,
        groups: ['c'],
        owner: 'https://idp.example#olga',
        lastSeen: 200,
      });
      expect(await rows().memberships([principal.id, 'nobody'])).toEqual(new Map([[principal.id, ['c']]]));
      expect(await rows().memberships([])).toEqual(new Map());
    });

    it('have no membership while they or their owner are disabled', async () => {
      await rows().seen(principal);
      await rows().disable('https://idp.example#olga', 'admin', 'left');
      expect(await rows().memberships([principal.id])).toEqual(new Map());
      expect(await rows().anyDisabled([principal.id, 'https://idp.example#olga'])).toBe(true);
      expect(await rows().anyDisabled([principal.id])).toBe(false);
      expect(await rows().anyDisabled([])).toBe(false);
      expect(await rows().enable('https://idp.example#olga')).toBe(true);
      expect(await rows().enable('https://idp.example#olga')).toBe(false);
      await rows().disable(principal.id, 'admin', 'first');
      await rows().disable(principal.id, 'admin', 'second');
      expect(await rows().memberships([principal.id])).toEqual(new Map());
      expect(await rows().listDisabled()).toEqual([{ id: principal.id, at: 100, by: 'admin', reason: 'first' }]);
    });

    it('that are disabled are told of', async () => {
      const { heard, callback } = listening<string | undefined>();
      await rows().onDisabled(callback);
      await rows().disable(principal.id, 'admin', 'x');
      expect(await heard).toBe(principal.id);
    });
  });

  describe('the index of sessions', () => {
    beforeEach(() => store.db.deleteFrom('sessions').execute());
    const session = (id: string, startedAt: number, more: Partial<SessionInfo> = {}): SessionInfo => ({
      id,
      principal,
      target: { name: 'shop', connector: 'postgres', tags: ['prod'] },
      client: { address: '127.0.0.1:5', secure: true, application: 'psql' },
      startedAt,
      ...more,
    });
    const counts = { units: 5, denied: 1, held: 0 };

    it('knows a session from its beginning to its only end', async () => {
      const index = sessionIndex(store, 'gw-1');
      await index.opened(session('ses_1', 10), '2026/ses_1.rec');
      expect(await index.get('ses_1')).toEqual({
        id: 'ses_1',
        gateway: 'gw-1',
        principal,
        target: 'shop',
        connector: 'postgres',
        client: { address: '127.0.0.1:5', secure: true, application: 'psql' },
        recordingPath: '2026/ses_1.rec',
        startedAt: 10,
        live: true,
      });
      await index.ended('ses_1', 'client_closed', counts, 20);
      await index.ended('ses_1', 'killed', { ...counts, units: 9 }, 30);
      expect(await index.get('ses_1')).toMatchObject({ live: false, endedAt: 20, endReason: 'client_closed', counts });
      expect(await index.get('ses_none')).toBeUndefined();
    });

    it('is listed newest first, by target, principal and life', async () => {
      const index = sessionIndex(store, 'gw-1');
      await index.opened(session('a', 10), 'a');
      await index.opened(session('b', 20, { target: { name: 'crm', connector: 'ssh', tags: [] } }), 'b');
      await index.opened(session('c', 30, { principal: { ...principal, id: 'other' } }), 'c');
      await index.ended('a', 'killed', counts, 40);
      const ids = async (filter: Parameters<typeof index.list>[0]) =>
        (await index.list(filter)).map((entry) => entry.id);
      expect(await ids({ limit: 9 })).toEqual(['c', 'b', 'a']);
      expect(await ids({ limit: 1, before: 30 })).toEqual(['b']);
      expect(await ids({ limit: 9, target: 'crm' })).toEqual(['b']);
      expect(await ids({ limit: 9, principal: 'other' })).toEqual(['c']);
      expect(await ids({ limit: 9, live: true })).toEqual(['c', 'b']);
      expect(await ids({ limit: 9, live: false })).toEqual(['a']);
    });

    it('tells the gateway that serves it to kill it, until it has ended', async () => {
      const index = sessionIndex(store, 'gw-1');
      await index.opened(session('a', 10), 'a');
      const { heard, callback } = listening<string>();
      const stop = await index.onKill(callback);
      expect(await index.kill('none', 'admin', 20)).toBe(false);
      expect(await index.kill('a', 'admin', 20)).toBe(true);
      expect(await index.kill('a', 'another', 30)).toBe(true);
      expect(await heard).toBe('a');
      expect(await index.get('a')).toMatchObject({ killedBy: 'admin', live: true });
      await index.ended('a', 'killed', counts, 40);
      expect(await index.kill('a', 'admin', 50)).toBe(false);
      await stop();
    });

    it('gives a gateway that missed it the kill once it is back', async () => {
      const { heard, callback } = listening<string>();
      const deaf = sessionIndex(
        {
          ...store,
          subscribe: async (_channel, subscriber) => {
            queueMicrotask(() => subscriber({ kind: 'resync' }));
            return async () => {};
          },
        },
        'gw-1',
      );
      await deaf.opened(session('mine', 10), 'a');
      await deaf.opened(session('not asked for', 10), 'b');
      await sessionIndex(store, 'gw-2').opened(session('theirs', 10), 'c');
      await deaf.kill('theirs', 'admin', 20);
      await deaf.kill('mine', 'admin', 20);
      await deaf.onKill(callback);
      expect(await heard).toBe('mine');
    });

    it('ends what an earlier run of this gateway left open, and of no other', async () => {
      await sessionIndex(store, 'gw-1').opened(session('a', 10), 'a');
      await sessionIndex(store, 'gw-2').opened(session('b', 20), 'b');
      const left = await sessionIndex(store, 'gw-1').interrupted(99);
      expect(left).toMatchObject([{ id: 'a', endReason: 'interrupted', endedAt: 99, live: false }]);
      expect(await sessionIndex(store, 'gw-1').interrupted(100)).toEqual([]);
      expect(await sessionIndex(store, 'gw-2').get('b')).toMatchObject({ live: true });
    });
  });
});
