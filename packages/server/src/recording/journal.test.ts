import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RecordingReport, RecordingVerifier } from '@sluice/core/recording/verifier.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestRecordings, testSession } from '../../../../test/harness/recordings.ts';
import { inflater } from '../crypto/deflate.ts';
import { plainDigests, startSha256 } from '../crypto/digests.ts';
import { publicKeysPath } from '../crypto/keys.ts';
import { readPublicKeys, sealVerifier } from '../crypto/public-keys.ts';

let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'sluice-journal-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

interface ReadJournal {
  readonly session: string;
  readonly report: RecordingReport;
  readonly facts: readonly { readonly name: string; readonly detail: Readonly<Record<string, unknown>> }[];
}

function journals(): ReadJournal[] {
  const seals = sealVerifier(readPublicKeys(publicKeysPath(dataDir)));
  const names = readdirSync(join(dataDir, 'recordings'), { recursive: true }) as string[];
  return names
    .filter((name) => /gateway-.*\.sluice$/.test(name))
    .sort()
    .map((name) => {
      const facts: { name: string; detail: Readonly<Record<string, unknown>> }[] = [];
      const verifier = new RecordingVerifier(
        { digests: plainDigests, startDigest: startSha256, inflater, seals },
        { onEvent: (event) => void (event.type === 'event' && facts.push({ name: event.name, detail: event.detail })) },
      );
      verifier.push(readFileSync(join(dataDir, 'recordings', name)));
      const report = verifier.finish();
      return { session: report.header?.session ?? '', report, facts };
    });
}

describe("the gateway's journal", () => {
  it('is a sealed recording of its own, of a principal that no issuer can name', async () => {
    const { recordings } = await openTestRecordings(dataDir);
    recordings.journal.record({ name: 'gateway.started', version: '0.1.0', policyHash: 'ab' });
    await recordings.close();
    const [journal] = journals();
    expect(journal?.report.faults).toEqual([]);
    expect(journal?.report.header?.principal.id).toBe('sluice#gateway');
    expect(journal?.facts).toEqual([{ name: 'gateway.started', detail: { version: '0.1.0', policyHash: 'ab' } }]);
  });

  it('has a fact on disk before `record` returns', async () => {
    const { recordings } = await openTestRecordings(dataDir, { syncInterval: 60_000 });
    recordings.journal.record({ name: 'session.killed', session: 'ses_x', by: 'https://idp#alex' });
    expect(journals()[0]?.facts).toEqual([
      { name: 'session.killed', detail: { session: 'ses_x', by: 'https://idp#alex' } },
    ]);
    await recordings.close();
  });

  it('never holds a secret that came in a field from outside', async () => {
    const { recordings } = await openTestRecordings(dataDir);
    const user = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJkYW5hIn0.c2lnbmF0dXJl';
    const refused = { channel: 'postgres', code: 'unauthenticated', target: 'shop', address: '10.0.0.7:5522' };
    recordings.journal.record({ name: 'auth.refused', user, ...refused });
    await recordings.close();
    expect(journals()[0]?.facts[0]?.detail).toEqual({ ...refused, user: '[redacted]' });
  });

  it('witnesses the opening and the sealing of every session', async () => {
    const { recordings } = await openTestRecordings(dataDir);
    await recordings.recorders.open(testSession('ses_one'), 'hash').close('client_closed');
    await recordings.close();
    expect(journals()[0]?.facts).toMatchObject([
      { name: 'session.opened', detail: { session: 'ses_one', target: 'shop' } },
      { name: 'session.sealed', detail: { session: 'ses_one', reason: 'client_closed', events: 2 } },
    ]);
  });

  it('goes on in a new file when it has grown, each naming the one before it by its head', async () => {
    let now = 1_790_000_000_000;
    const clock = (): number => now++;
    const { recordings } = await openTestRecordings(dataDir, { journalRotateAt: 2000 }, { now: clock });
    for (let i = 0; i < 30; i++)
      recordings.journal.record({ name: 'request.settled', request: `req_${i}`, state: 'used' });
    await recordings.close();
    const all = journals();
    expect(all.length).toBeGreaterThan(2);
    expect(all.flatMap(({ report }) => report.faults)).toEqual([]);
    const settled = all.flatMap(({ facts }) => facts).filter(({ name }) => name === 'request.settled');
    expect(settled.map(({ detail }) => detail['request'])).toEqual(Array.from({ length: 30 }, (_, i) => `req_${i}`));
    for (const [i, journal] of all.entries()) {
      const before = all[i - 1];
      if (!before) continue;
      expect(journal.facts[0]).toEqual({
        name: 'journal.continued',
        detail: { previous: before.session, head: before.report.head },
      });
    }
  });

  it('takes nothing more once it is sealed', async () => {
    const { recordings } = await openTestRecordings(dataDir);
    await recordings.close();
    expect(() => recordings.journal.record({ name: 'gateway.stopped', reason: 'signal' })).toThrow(
      expect.objectContaining({ code: 'recording_failed' }),
    );
    expect(journals()).toHaveLength(1);
  });
});
