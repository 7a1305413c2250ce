import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ScramClient, ScramServer } from '@sluice/connectors/wire/scram.ts';
import type { AuditEvent } from '@sluice/core/domain/audit-event.ts';
import type { Principal } from '@sluice/core/domain/principal.ts';
import { Redacted } from '@sluice/core/domain/redacted.ts';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { prepareStore } from '../../../../test/harness/prepared-store.ts';
import type { AccessCredentials as ApiPort } from '../api/services.ts';
import { platformDigests } from '../crypto/digests.ts';
import { randomIds } from '../crypto/ids.ts';
import { LookedAhead } from '../identity/looked-ahead.ts';
import { RevocationNews } from '../identity/revocation-news.ts';
import type { AccessCredentialRow, AccessCredentialRows } from '../store/access-credential-rows.ts';
import { accessCredentialRows } from '../store/access-credentials.ts';
import { openStore } from '../store/store.ts';
import type { Store } from '../store/store-port.ts';
import { type AccessCredentials, createAccessCredentials } from './access-credentials.ts';
import { satisfies } from './scram-verifier.ts';

// Watched, not replaced.
vi.mock('./scram-verifier.ts', { spy: true });

const minute = 60_000;
const start = Date.UTC(2026, 0, 2);

let folder: string;
let store: Store;
let rows: AccessCredentialRows;
let now: number;
let audited: AuditEvent[];
let witness: (event: AuditEvent) => void;
let logged: string[];
let credentials: AccessCredentials;
let news: RevocationNews;
let people = 0;
let dana: Principal;
let alex: Principal;

const log = (_: object, message: string): void => void logged.push(message);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-credentials-'));
  await prepareStore(folder);
  store = await openStore({ kind: 'embedded', dir: folder }, { debug() {}, info() {}, warn() {}, error() {} });
  rows = accessCredentialRows(store);
});
afterAll(async () => {
  await store.close();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(() => {
  now = start;
  news = new RevocationNews();
  audited = [];
  witness = (event) => audited.push(event);
  logged = [];
  // Nobody twice: the tests share a store.
  people += 1;
  dana = principal(`dana-${people}`);
  alex = principal(`alex-${people}`);
  credentials = using(rows);
});

function principal(subject: string): Principal {
  const issuer = 'https://login.example.com';
  const id = `${issuer}#${subject}`;
  return {
    kind: 'user',
    id,
    issuer,
    subject,
    displayName: subject,
    groups: ['g'],
    chain: [],
    expiresAt: start + 60 * minute,
  };
}

function using(kept: AccessCredentialRows): AccessCredentials {
  return createAccessCredentials({
    rows: kept,
    digests: platformDigests(Buffer.alloc(32, 1)),
    ids: randomIds,
    clock: { now: () => now },
    audit: { record: (event) => witness(event) },
    log: { debug: log, info: log, warn: log, error: log },
    ahead: new LookedAhead<Promise<AccessCredentialRow | undefined>>(news, { now: () => now }),
    defaultTtl: 15 * minute,
    maxTtl: 120 * minute,
  });
}

async function login(id: string, secret: string): Promise<void> {
  const client = new ScramClient({ kind: 'none' });
  const server = new ScramServer(await credentials.verifier(id), 'SCRAM-SHA-256', undefined);
  client.verify(server.final(await client.final(server.first(client.first()), secret)));
}

describe('an access credential', () => {
  test('logs its principal in at its target', async () => {
    const { id, secret, expiresAt } = await credentials.issue({ principal: dana, target: 'shop' });
    expect(expiresAt).toBe(now + 15 * minute);
    expect(credentials.isCredentialId(id)).toBe(true);
    expect(Buffer.from(secret.reveal(), 'base64url').length * 8).toBeGreaterThanOrEqual(128);
    await login(id, secret.reveal());
    await expect(login(id, `${secret.reveal()}x`)).rejects.toThrow();
    expect(await credentials.redeem(id, 'shop')).toEqual({ ...dana, expiresAt });
    expect(audited).toEqual([
      { name: 'credential.issued', credential: id, principal: dana.id, target: 'shop', expiresAt },
      { name: 'credential.redeemed', credential: id, target: 'shop' },
    ]);
  });

  test('is kept without its secret', async () => {
    const issued = await credentials.issue({ principal: dana, target: 'shop' });
    const kept = JSON.stringify([await rows.find(issued.id), await credentials.find(issued.id), audited, issued]);
    expect(kept).not.toContain(issued.secret.reveal());
  });

  test('is good until it expires, and not a millisecond longer', async () => {
    const { id } = await credentials.issue({ principal: dana, target: 'shop', ttlMs: minute });
    now += minute - 1;
    expect(await credentials.redeem(id, 'shop')).toBeDefined();
    now += 1;
    expect(await credentials.redeem(id, 'shop')).toBeUndefined();
  });

  test('never outlives the identity it came from', async () => {
    now = dana.expiresAt - minute;
    const { id, expiresAt } = await credentials.issue({ principal: dana, target: 'shop' });
    expect(expiresAt).toBe(dana.expiresAt);
    expect((await credentials.redeem(id, 'shop'))?.expiresAt).toBe(dana.expiresAt);
    now = dana.expiresAt;
    await expect(credentials.issue({ principal: dana, target: 'shop' })).rejects.toMatchObject({
      code: 'identity_expired',
    });
  });

  test('is for one target', async () => {
    const { id } = await credentials.issue({ principal: dana, target: 'shop', uses: 1 });
    expect(await credentials.redeem(id, 'other')).toBeUndefined();
    expect(await credentials.redeem(id, 'SHOP')).toBeUndefined();
    expect(await credentials.redeem(id, 'shop')).toBeDefined();
  });

  test('may be used as often as it says, also when everybody tries at once', async () => {
    const { id } = await credentials.issue({ principal: dana, target: 'shop', uses: 3 });
    const tries = await Promise.all(Array.from({ length: 20 }, () => credentials.redeem(id, 'shop')));
    expect(tries.filter((one) => one !== undefined)).toHaveLength(3);
    expect(await credentials.find(id)).toMatchObject({ usesLeft: 0 });
  });

  test('is over at once when it is revoked, and everybody who watches is told', async () => {
    const { id } = await credentials.issue({ principal: dana, target: 'shop' });
    const told = new Promise((resolve) => void rows.onRevoked(resolve).then(() => credentials.revoke(id, alex)));
    expect(await told).toBe(id);
    expect(await credentials.redeem(id, 'shop')).toBeUndefined();
    expect(await credentials.find(id)).toMatchObject({ revokedAt: now });
    await credentials.revoke(id, alex);
    await credentials.revoke('sac_doesnotexistdoesnotexist', alex);
    expect(audited.filter(({ name }) => name === 'credential.revoked')).toEqual([
      { name: 'credential.revoked', credential: id, by: alex.id },
    ]);
  });

  test('is not used when nobody could account for it', async () => {
    const { id } = await credentials.issue({ principal: dana, target: 'shop' });
    witness = () => {
      throw new Error('disk full');
    };
    await expect(credentials.issue({ principal: dana, target: 'shop' })).rejects.toThrow('disk full');
    await expect(credentials.redeem(id, 'shop')).rejects.toThrow('disk full');
    expect(await credentials.list(dana.id)).toHaveLength(1);
    // Ending one is not held up by that.
    await expect(credentials.revoke(id, dana)).rejects.toThrow('disk full');
    expect(await credentials.find(id)).toMatchObject({ revokedAt: now });
  });

  test('can be listed by whom it belongs to, newest first', async () => {
    const first = await credentials.issue({ principal: dana, target: 'shop' });
    now += 1;
    const second = await credentials.issue({ principal: dana, target: 'other', uses: 2 });
    await credentials.issue({ principal: alex, target: 'shop' });
    expect(await credentials.list(dana.id)).toEqual([
      { id: second.id, principal: dana.id, target: 'other', createdAt: now, expiresAt: second.expiresAt, usesLeft: 2 },
      { id: first.id, principal: dana.id, target: 'shop', createdAt: now - 1, expiresAt: first.expiresAt },
    ]);
  });

  test('fits the port of the API', () => {
    const port: ApiPort = credentials;
    expect(port).toBe(credentials);
  });
});

describe('what was found when a login began', () => {
  /** Which ids were spent in the store. */
  let spent: string[];
  beforeEach(() => {
    spent = [];
    credentials = using({
      ...rows,
      spend: (id, ...rest) => {
        spent.push(id);
        return rows.spend(id, ...rest);
      },
    });
  });

  test('is redeemed without the store, once', async () => {
    const { id, secret, expiresAt } = await credentials.issue({ principal: dana, target: 'shop' });
    await login(id, secret.reveal());
    expect(await credentials.holder(id)).toEqual(dana);
    expect(await credentials.redeem(id, 'shop')).toEqual({ ...dana, expiresAt });
    expect(spent).toEqual([]);
    expect(await credentials.holder(id)).toBeUndefined();
    expect(await credentials.redeem(id, 'shop')).toEqual({ ...dana, expiresAt });
    expect(spent).toEqual([id]);
  });

  test('is not what is redeemed where uses are counted', async () => {
    const { id } = await credentials.issue({ principal: dana, target: 'shop', uses: 1 });
    await credentials.verifier(id);
    expect(await credentials.redeem(id, 'shop')).toMatchObject({ id: dana.id });
    await credentials.verifier(id);
    expect(await credentials.redeem(id, 'shop')).toBeUndefined();
    expect(spent).toEqual([id, id]);
  });

  test.each([
    ['revoked since', (id: string) => rows.revoke(id, start).then(() => news.heard())],
    ['revoked before', (id: string) => rows.revoke(id, start).then(() => credentials.verifier(id))],
    [
      'over since',
      async () => {
        now += 500;
      },
    ],
  ])('is redeemed by nobody when it was %s', async (_, happens) => {
    const { id } = await credentials.issue({ principal: { ...dana, expiresAt: start + 1_500 }, target: 'shop' });
    now += 1_000;
    await credentials.verifier(id);
    await happens(id);
    expect(await credentials.redeem(id, 'shop')).toBeUndefined();
    expect(spent).toEqual([id]);
  });

  test('is not waited for by a client that was here before, and counts all the same', async () => {
    const { id } = await credentials.issue({ principal: dana, target: 'shop' });
    let answer: () => void = () => {};
    const slow = new Promise<void>((resolve) => {
      answer = resolve;
    });
    let asked = 0;
    credentials = using({
      ...rows,
      find: async (each) => {
        asked += 1;
        if (asked === 2) await slow;
        return rows.find(each);
      },
    });
    const first = await credentials.verifier(id);
    expect(await credentials.verifier(id)).toEqual(first);
    await rows.revoke(id, now);
    answer();
    expect(await credentials.redeem(id, 'shop')).toBeUndefined();
    expect(asked).toBe(2);
  });

  test('is for one target, too', async () => {
    const { id } = await credentials.issue({ principal: dana, target: 'shop' });
    await credentials.verifier(id);
    expect(await credentials.redeem(id, 'ledger')).toBeUndefined();
  });
});

describe('a secret that is sent whole', () => {
  const proves = (id: string, secret: string): Promise<boolean> => credentials.proves(id, new Redacted(secret));

  test('is proof to the letter, and of its own credential only', async () => {
    const { id, secret } = await credentials.issue({ principal: dana, target: 'shop' });
    const another = await credentials.issue({ principal: dana, target: 'shop' });
    const right = secret.reveal();
    expect(await proves(id, right)).toBe(true);
    expect(await proves(another.id, right)).toBe(false);
    for (const wrong of [
      '',
      right.slice(1),
      right.slice(0, -1),
      `${right} `,
      ` ${right}`,
      `${right}\n`,
      `${right}\0`,
      right.toUpperCase(),
      `${id}:${right}`,
      right.replace(/^./, (first) => String.fromCodePoint((first.codePointAt(0) ?? 0) + 0xfee0)),
      '\ud800',
      'x'.repeat(1_000_000),
    ]) {
      expect(await proves(id, wrong), wrong.slice(0, 80)).toBe(false);
    }
  });

  test('is not proof of what is stored about it', async () => {
    const { id } = await credentials.issue({ principal: dana, target: 'shop' });
    const { salt, storedKey, serverKey } = await credentials.verifier(id);
    for (const bytes of [salt, storedKey, serverKey]) {
      expect(await proves(id, Buffer.from(bytes).toString('base64url'))).toBe(false);
      expect(await proves(id, Buffer.from(bytes).toString('latin1'))).toBe(false);
    }
  });

  test('is nobody’s for an unknown id, and looked into as long as for a known one', async () => {
    const { id, secret } = await credentials.issue({ principal: dana, target: 'shop' });
    const worked = vi.mocked(satisfies).mockClear();
    for (const unknown of ['', 'sac_', 'dana', `${id}x`, id.toUpperCase(), `${id}\0`, '__proto__']) {
      expect(await proves(unknown, secret.reveal()), unknown).toBe(false);
    }
    expect(worked.mock.calls).toHaveLength(7);
    expect(new Set(worked.mock.calls.map(([, { iterations }]) => iterations))).toEqual(new Set([4096]));
  });

  test('proves who it is after its time as well: that it is over is said when it is redeemed', async () => {
    const { id, secret } = await credentials.issue({ principal: dana, target: 'shop', uses: 1 });
    expect(await credentials.redeem(id, 'shop')).toBeDefined();
    const revoked = await credentials.issue({ principal: dana, target: 'shop' });
    await credentials.revoke(revoked.id, dana);
    now += 16 * minute;
    for (const [over, proof] of [
      [id, secret],
      [revoked.id, revoked.secret],
    ] as const) {
      expect(await proves(over, proof.reveal())).toBe(true);
      expect(await credentials.redeem(over, 'shop')).toBeUndefined();
    }
  });

  test('proves nothing while the store is down', async () => {
    const { id, secret } = await credentials.issue({ principal: dana, target: 'shop' });
    credentials = using({ ...rows, find: () => Promise.reject(new Error('down')) });
    expect(await proves(id, secret.reveal())).toBe(false);
    expect(logged).toEqual(['access credentials can’t be looked up: logins with them are refused']);
  });
});

describe('issuing refuses', () => {
  test.each([
    [{ ttlMs: 999 }, 'invalid_ttl'],
    [{ ttlMs: -1 }, 'invalid_ttl'],
    [{ ttlMs: Number.NaN }, 'invalid_ttl'],
    [{ ttlMs: 120 * minute + 1 }, 'invalid_ttl'],
    [{ uses: 0 }, 'invalid_uses'],
    [{ uses: 1.5 }, 'invalid_uses'],
    [{ uses: 1e9 }, 'invalid_uses'],
  ])('%j', async (terms, code) => {
    await expect(credentials.issue({ principal: dana, target: 'shop', ...terms })).rejects.toMatchObject({
      code,
      source: 'client',
    });
    expect(audited).toEqual([]);
  });

  test('more than a hundred in force, and goes on when one is over', async () => {
    const { id } = await credentials.issue({ principal: dana, target: 'shop' });
    await Promise.all(Array.from({ length: 99 }, () => credentials.issue({ principal: dana, target: 'shop' })));
    await expect(credentials.issue({ principal: dana, target: 'shop' })).rejects.toMatchObject({
      code: 'too_many_credentials',
    });
    await credentials.revoke(id, dana);
    await credentials.issue({ principal: dana, target: 'shop' });
  });
});

describe('what is no access credential', () => {
  test.each([
    '',
    'sac_',
    'sac_short',
    'SAC_abcdefghijklmnopqrst',
    `sac_${'x'.repeat(61)}`,
    "sac_' or 1=1 -- aaaaaaaaa",
    'sac_abcdefghijklmnopqrst\n',
  ])('%j has a verifier like any other, and no use', async (id) => {
    expect(credentials.isCredentialId(id)).toBe(false);
    const verifier = await credentials.verifier(id);
    expect(verifier).toEqual(await credentials.verifier(id));
    expect(verifier).toMatchObject({ iterations: 4096 });
    expect(await credentials.redeem(id, 'shop')).toBeUndefined();
    expect(await credentials.find(id)).toBeUndefined();
  });

  test('can’t be told from one that is, before, during or after its life', async () => {
    const { id } = await credentials.issue({ principal: dana, target: 'shop' });
    const { salt, iterations } = await credentials.verifier(id);
    await store.db.deleteFrom('access_credentials').where('id', '=', id).execute();
    const after = await credentials.verifier(id);
    expect(Buffer.from(after.salt).equals(salt)).toBe(true);
    expect(after.iterations).toBe(iterations);
  });

  test('lets nobody in while the store is down, and says so in the log', async () => {
    const { id, secret } = await credentials.issue({ principal: dana, target: 'shop' });
    credentials = using({ ...rows, find: () => Promise.reject(new Error('down')) });
    await expect(login(id, secret.reveal())).rejects.toThrow();
    expect(logged).toEqual(['access credentials can’t be looked up: logins with them are refused']);
  });
});

test('expired access credentials are removed after a week, while others are issued', async () => {
  const { id } = await credentials.issue({ principal: dana, target: 'shop' });
  now += 8 * 24 * 60 * minute;
  const removed = new Promise<number>((resolve) => {
    credentials = using({
      ...rows,
      removeExpired: async (before) => {
        const count = await rows.removeExpired(before);
        resolve(count);
        return count;
      },
    });
  });
  now += 61 * minute;
  await credentials.issue({ principal: { ...dana, expiresAt: now + minute }, target: 'shop' });
  expect(await removed).toBeGreaterThan(0);
  expect(await credentials.find(id)).toBeUndefined();
});
