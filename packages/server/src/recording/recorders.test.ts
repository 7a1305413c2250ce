import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SessionRegister } from '@sluice/core/contract/control-plane.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import type { SessionInfo } from '@sluice/core/domain/session.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { inflater, noDeflater } from '../crypto/deflate.ts';
import { plainDigests, startSha256 } from '../crypto/digests.ts';
import { openKeys } from '../crypto/keys.ts';
import { type WitnessedRecorders, witnessedRecorders } from './recorders.ts';
import { openRecordings, type Recordings } from './recordings.ts';

const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const startedAt = Date.UTC(2026, 0, 2);
let dataDir: string;
let told: string[];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'sluice-recorders-'));
  told = [];
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

function session(id: string): SessionInfo {
  return {
    id,
    principal: {
      kind: 'user',
      id: 'issuer#tim',
      issuer: 'issuer',
      subject: 'tim',
      displayName: 'Tim',
      groups: [],
      chain: [],
      expiresAt: 1,
    },
    target: { name: 'shop', connector: 'any', tags: [] },
    client: { address: '127.0.0.1:1', secure: true },
    startedAt,
  };
}

function recorders(recorded: SessionRegister['recorded'] = () => {}): WitnessedRecorders {
  const settings = { dataDir, durability: 'group', syncInterval: 1, capPerResult: 1_000 } as const;
  const ports = {
    digests: plainDigests,
    startDigest: startSha256,
    signer: openKeys(dataDir).signer,
    deflater: noDeflater,
    log: quiet,
  };
  return witnessedRecorders(settings, ports, {
    opening: ({ id }) => void told.push(`opening ${id}`),
    recorded: (info) => {
      told.push(`recorded ${info.id}`);
      return recorded(info);
    },
    dropped: (id) => void told.push(`dropped ${id}`),
    sealed: (id, { reason }) => void told.push(`sealed ${id} ${reason}`),
  });
}

async function files(): Promise<string[]> {
  const names = await readdir(join(dataDir, 'recordings'), { recursive: true }).catch(() => []);
  return names.filter((name) => name.endsWith('.sluice')).sort();
}

describe('recordings that another process witnesses', () => {
  test('are announced before they are there, and told of to their end', async () => {
    const all = recorders(async () => expect(await files()).toHaveLength(1));
    const recorder = await all.open(session('ses_one'), 'hash');
    await recorder.close('client_closed');
    expect(told).toEqual(['opening ses_one', 'recorded ses_one', 'sealed ses_one client_closed']);
    await all.close();
  });

  test('are no recordings, and no session opens, when nobody witnesses them', async () => {
    const failed = new CoreError('recording_failed', 'gateway', 'The session cannot be recorded.');
    const all = recorders(() => Promise.reject(failed));
    await expect(all.open(session('ses_one'), 'hash')).rejects.toBe(failed);
    expect(await files()).toEqual([]);
    expect(told).toEqual(['opening ses_one', 'recorded ses_one', 'dropped ses_one']);
    await all.close();
  });

  test('that can not be made are told of as that', async () => {
    await writeFile(join(dataDir, 'recordings'), 'in the way');
    const all = recorders();
    await expect(all.open(session('ses_one'), 'hash')).rejects.toMatchObject({ code: 'recording_failed' });
    expect(told).toEqual(['opening ses_one', 'dropped ses_one']);
    await all.close();
  });

  test('are sealed when the process ends in good order', async () => {
    const all = recorders();
    await all.open(session('ses_one'), 'hash');
    await all.close();
    expect(told.at(-1)).toBe('sealed ses_one gateway_stopped');
  });
});

function recordings(): Promise<Recordings> {
  const settings = { dataDir, durability: 'group', syncInterval: 1, capPerResult: 1_000 } as const;
  return openRecordings(settings, {
    digests: plainDigests,
    startDigest: startSha256,
    signer: openKeys(dataDir).signer,
    deflater: noDeflater,
    inflater,
    log: quiet,
    now: Date.now,
  });
}

describe('what was sealed when the gateway was gone already', () => {
  test('is found by the next one, whose journal says as what', async () => {
    const dead = await recordings();
    const all = recorders((info) => dead.witness.opened(info));
    await (await all.open(session('ses_seen'), 'hash')).close('client_closed');
    dead.witness.sealed('ses_seen', { reason: 'client_closed', events: 2, head: 'as it was' });
    await (await all.open(session('ses_unseen'), 'hash')).close('gateway_stopped');
    const unsealed = await all.open(session('ses_left'), 'hash');
    unsealed.flush();

    const next = await recordings();
    expect(next.recovered.flatMap((one) => (one.session.startsWith('ses_') ? [[one.kind, one.session]] : []))).toEqual([
      ['sealed', 'ses_left'],
      ['sealed', 'ses_unseen'],
    ]);
    await next.close();
    const last = await recordings();
    expect(last.recovered).toEqual([]);
    await last.close();
  });
});

test('a journal that never got its header keeps no gateway from starting', async () => {
  const day = join(dataDir, 'recordings', '2026', '01', '02');
  await mkdir(day, { recursive: true });
  const journal = join(day, 'gateway-20260102T000000000Z-0123456789abcdef0123.sluice');
  await writeFile(journal, '');
  const next = await recordings();
  expect(await files()).not.toContain('2026/01/02/gateway-20260102T000000000Z-0123456789abcdef0123.sluice');
  await next.close();
});

describe('what a process that is gone left behind', () => {
  let main: Recordings;
  beforeEach(async () => {
    main = await recordings();
  });
  afterEach(() => main.close());

  test('is closed, and what others write is left alone', async () => {
    const all = recorders();
    const [gone, sealed, other] = ['ses_gone', 'ses_sealed', 'ses_other'].map(session);
    if (!gone || !sealed || !other) throw new Error('three sessions');
    for (const each of [gone, sealed, other]) main.witness.opened(each);
    (await all.open(gone, 'hash')).flush();
    await (await all.open(sealed, 'hash')).close('client_closed');
    const going = await all.open(other, 'hash');
    const never = session('ses_never');
    const found = await main.recover([gone, sealed, never]);
    expect(found.map((one) => [one.kind, one.session])).toEqual([
      ['sealed', 'ses_gone'],
      ['sealed', 'ses_sealed'],
    ]);
    going.append({ type: 'event', name: 'still there', detail: {} });
    going.flush();
    await going.close('client_closed');
    expect(told.at(-1)).toBe('sealed ses_other client_closed');
    expect((await files()).filter((name) => name.includes('ses_never'))).toEqual([]);
  });
});
