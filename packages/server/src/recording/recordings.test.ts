import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { SessionInfo } from '@sluice/core/domain/session.ts';
import type { AnyEvent } from '@sluice/core/recording/entry.ts';
import { type RecordingReport, RecordingVerifier } from '@sluice/core/recording/verifier.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  openTestRecordings,
  type TestRecordings,
  testAction,
  testRow,
  testSession,
} from '../../../../test/harness/recordings.ts';
import { inflater } from '../crypto/deflate.ts';
import { plainDigests, startSha256 } from '../crypto/digests.ts';
import { publicKeysPath } from '../crypto/keys.ts';
import { readPublicKeys, sealVerifier } from '../crypto/public-keys.ts';
import { recordingPath } from './layout.ts';

let dataDir: string;
const opened: TestRecordings[] = [];

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'sluice-recordings-'));
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map(({ recordings }) => recordings.close()));
  rmSync(dataDir, { recursive: true, force: true });
});

async function open(
  ...args: Parameters<typeof openTestRecordings> extends [string, ...infer R] ? R : never
): Promise<TestRecordings> {
  const one = await openTestRecordings(dataDir, ...args);
  opened.push(one);
  return one;
}

const session = (id = 'ses_one'): SessionInfo => ({ ...testSession(id), startedAt: Date.UTC(2026, 2, 9, 23, 59) });
const pathOf = (id = 'ses_one'): string => recordingPath(dataDir, id, session().startedAt);

function verify(path: string): { report: RecordingReport; events: AnyEvent[] } {
  const events: AnyEvent[] = [];
  const seals = sealVerifier(readPublicKeys(publicKeysPath(dataDir)));
  const ports = { digests: plainDigests, startDigest: startSha256, inflater, seals };
  const verifier = new RecordingVerifier(ports, { onEvent: (event) => void events.push(event) });
  verifier.push(readFileSync(path));
  return { report: verifier.finish(), events };
}

function journalEvents(): { name: string; detail: Record<string, unknown> }[] {
  const found: { name: string; detail: Record<string, unknown> }[] = [];
  const names = readdirSync(join(dataDir, 'recordings'), { recursive: true }) as string[];
  for (const name of names.filter((each) => /gateway-.*\.sluice$/.test(each)).sort()) {
    for (const event of verify(join(dataDir, 'recordings', name)).events) {
      if (event.type === 'event') found.push({ name: event.name, detail: event.detail });
    }
  }
  return found;
}

describe('a recording on disk', () => {
  it('is one file under the day of its session, for the gateway alone, and verifies', async () => {
    const { recordings } = await open();
    const recorder = recordings.recorders.open(session(), 'hash');
    recorder.append(testAction(1, 'SELECT 1'));
    recorder.rows(testRow('1'));
    await recorder.close('client_closed');
    expect(recordings.pathOf(session())).toBe(join(dataDir, 'recordings/2026/03/09/ses_one.sluice'));
    expect(statSync(pathOf()).mode & 0o777).toBe(0o600);
    expect(statSync(join(dataDir, 'recordings')).mode & 0o777).toBe(0o700);
    expect(verify(pathOf()).report).toMatchObject({ faults: [], end: { reason: 'client_closed' } });
  });

  it('has what was flushed before the flush returns', async () => {
    const { recordings } = await open();
    const recorder = recordings.recorders.open(session(), 'hash');
    recorder.append(testAction(1, 'SELECT 1'));
    recorder.flush();
    const { report, events } = verify(pathOf());
    expect(events.map(({ type }) => type)).toEqual(['header', 'action']);
    expect(report.open).toBe(true);
  });

  it('gets what nobody flushed one interval later', async () => {
    const { recordings } = await open({ syncInterval: 1 });
    const recorder = recordings.recorders.open(session(), 'hash');
    recorder.append(testAction(1, 'SELECT 1'));
    await expect.poll(() => verify(pathOf()).events.length).toBe(2);
  });

  it('is on disk before a strict flush returns', async () => {
    const { realDisk } = await import('./disk.ts');
    const synced: number[] = [];
    const syncNow = (fd: number): void => {
      realDisk.syncNow(fd);
      synced.push(fd);
    };
    const disk = { ...realDisk, syncNow };
    const { recordings } = await open({ durability: 'strict' }, { disk });
    const recorder = recordings.recorders.open(session(), 'hash');
    const before = synced.length;
    recorder.append(testAction(1, 'SELECT 1'));
    recorder.flush();
    expect(synced.length).toBe(before + 1);
  });

  it('refuses to be created twice', async () => {
    const { recordings } = await open();
    recordings.recorders.open(session(), 'hash');
    expect(() => recordings.recorders.open(session(), 'hash')).toThrow(
      expect.objectContaining({ code: 'recording_failed' }),
    );
  });

  it.each(['../../etc/passwd', 'a/b', '', '.', '..', 'x\0y', 'x'.repeat(200), 'ses_ö'])(
    'is neither made nor found under the id %j',
    async (id) => {
      const { recordings } = await open();
      expect(() => recordings.recorders.open(session(id), 'hash')).toThrow(
        expect.objectContaining({ code: 'recording_failed' }),
      );
      expect(await recordings.library.find(id)).toBeUndefined();
      expect(await recordings.library.open(id)).toBeUndefined();
    },
  );

  it('is not followed when it is a link', async () => {
    const { recordings } = await open();
    await recordings.recorders.open(session(), 'hash').close('client_closed');
    symlinkSync('/etc/passwd', pathOf('ses_link'));
    expect(await recordings.library.find('ses_link')).toBeUndefined();
  });

  it('comes back as bytes and as events', async () => {
    const { recordings } = await open();
    const recorder = recordings.recorders.open(session(), 'hash');
    recorder.append(testAction(1, 'SELECT 1'));
    await recorder.close('client_closed');
    const bytes = await recordings.library.open('ses_one');
    const parts: Uint8Array[] = [];
    for await (const part of bytes ?? []) parts.push(part);
    expect(Buffer.concat(parts)).toEqual(readFileSync(pathOf()));
    const events: object[] = [];
    for await (const event of recordings.library.events('ses_one')) events.push(event);
    expect(events).toMatchObject([{ type: 'header' }, { type: 'action' }, { type: 'end' }, { type: 'seal' }]);
    const listed: string[] = [];
    for await (const one of recordings.library.list()) listed.push(one.session);
    expect(listed).toEqual(['ses_one']);
  });

  it('asks to wait while the disk is behind, and says when it is not', async () => {
    const { realDisk } = await import('./disk.ts');
    let release: (() => void) | undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const disk = { ...realDisk, sync: () => gate };
    const { recordings } = await open({ syncInterval: 1, capPerResult: 64 * 1024 * 1024 }, { disk });
    const recorder = recordings.recorders.open(session(), 'hash');
    const row = testRow('x'.repeat(100_000));
    for (let i = 0; i < 120; i++) recorder.rows(row);
    expect(recorder.behind).toBe(true);
    const ready = new Promise<void>((resolve) => recorder.onReady(resolve));
    release?.();
    await ready;
    expect(recorder.behind).toBe(false);
  });

  it('breaks when the disk cannot make it durable: a later sync would prove nothing', async () => {
    const { realDisk } = await import('./disk.ts');
    const disk = { ...realDisk, sync: () => Promise.reject(new Error('EIO')) };
    const { recordings } = await open({ syncInterval: 1 }, { disk });
    const recorder = recordings.recorders.open(session(), 'hash');
    const go = (): void => {
      recorder.append(testAction(1, 'SELECT 1'));
      recorder.flush();
    };
    await expect
      .poll(() => {
        try {
          go();
          return 'written';
        } catch (error) {
          return (error as { code: string }).code;
        }
      })
      .toBe('recording_failed');
  });
});

describe('journals across a clock that was set back', () => {
  it('stay one chain', async () => {
    for (const now of [3e12, 1e12, 2e12, 2e12]) {
      const { recordings } = await open({}, { now: () => now });
      await recordings.close();
    }
    const links = journalEvents().filter(({ name }) => name === 'journal.continued');
    expect(links).toHaveLength(3);
    expect(new Set(links.map(({ detail }) => detail['previous'])).size).toBe(3);
  });
});

describe('after kill -9', () => {
  async function runAndKill(id: string, statements: number): Promise<number> {
    const script = fileURLToPath(new URL('../../../../test/harness/record-until-killed.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import', 'tsx', script, dataDir, id], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let last = 0;
    for await (const line of createInterface({ input: child.stdout })) {
      last = Number(line);
      if (last === statements) child.kill('SIGKILL');
    }
    if (child.signalCode === null) await once(child, 'exit');
    expect(child.signalCode).toBe('SIGKILL');
    return last;
  }

  it('every statement that could have been sent on is in the recording, and it verifies', async () => {
    const sent = await runAndKill('ses_killed', 3000);
    const { recordings } = await open();
    const path = (await recordings.library.find('ses_killed'))!;
    const { report, events } = verify(path);
    expect(report.faults).toEqual([]);
    expect(report).toMatchObject({ recovered: true, end: { reason: 'interrupted' } });
    const units = new Set(events.flatMap((event) => (event.type === 'action' ? [event.unit] : [])));
    for (let unit = 1; unit <= sent; unit++) expect(units.has(unit)).toBe(true);
    expect(recordings.recovered.map(({ session: one }) => one)).toContain('ses_killed');
  });

  it('the journal of the dead gateway is sealed too, and the next one names it', async () => {
    await runAndKill('ses_killed', 10);
    await (await open()).recordings.close();
    const events = journalEvents();
    const recovered = events.filter(({ name }) => name === 'recording.recovered');
    expect(recovered.map(({ detail }) => detail['session'])).toEqual([
      expect.stringMatching(/^gateway-/),
      'ses_killed',
    ]);
    const continued = events.find(({ name }) => name === 'journal.continued');
    expect(continued?.detail).toMatchObject({
      previous: recovered[0]?.detail['session'],
      head: recovered[0]?.detail['head'],
    });
  });
});

describe('recovery', () => {
  /** A recording left open: its bytes as a dead gateway leaves them. */
  async function leaveOpen(id = 'ses_one'): Promise<Buffer> {
    const { recordings } = await open();
    const recorder = recordings.recorders.open(session(id), 'hash');
    for (let unit = 1; unit <= 5; unit++) recorder.append(testAction(unit, `SELECT ${unit}`));
    recorder.flush();
    const bytes = readFileSync(pathOf(id));
    await recorder.close('client_closed');
    await recordings.close();
    // The journal has seen the session closed: it goes, so that only the crash is left.
    for (const name of readdirSync(join(dataDir, 'recordings'), { recursive: true }) as string[]) {
      if (/gateway-.*\.sluice$/.test(name)) rmSync(join(dataDir, 'recordings', name));
    }
    writeFileSync(pathOf(id), bytes);
    return bytes;
  }

  it('seals up to the last whole event and reports what it dropped', async () => {
    const bytes = await leaveOpen();
    const data = bytes.length - trailingZeros(bytes);
    truncateSync(pathOf(), data - 5);
    const { recordings } = await open();
    expect(recordings.recovered).toMatchObject([{ kind: 'sealed', session: 'ses_one', events: 7 }]);
    const { report, events } = verify(pathOf());
    expect(report.faults).toEqual([]);
    expect(events.filter(({ type }) => type === 'action')).toHaveLength(4);
    expect(events.at(-3)).toMatchObject({
      name: 'recovered',
      detail: { droppedDigest: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
  });

  it('keeps output that was under way, and calls it unfinished', async () => {
    const { recordings } = await open();
    const recorder = recordings.recorders.open(session(), 'hash');
    const output = (unit: number, text: string) =>
      recorder.append({ type: 'output', unit, stream: 'stdout', data: Buffer.from(text) });
    recorder.append(testAction(1, 'make'));
    output(1, 'one');
    output(2, 'two');
    recorder.append({ type: 'complete', unit: 2, tag: 'exit 0', rows: 0, bytes: 0, digest: '' });
    output(1, 'three');
    recorder.append({ type: 'terminal', unit: 3, direction: 'output', data: Buffer.from('$ ') });
    recorder.flush();
    const bytes = readFileSync(pathOf());
    await recorder.close('client_closed');
    expect(verify(pathOf()).report).toMatchObject({ faults: [], unfinished: 1 });
    await recordings.close();
    for (const name of readdirSync(join(dataDir, 'recordings'), { recursive: true }) as string[]) {
      if (/gateway-.*\.sluice$/.test(name)) rmSync(join(dataDir, 'recordings', name));
    }
    writeFileSync(pathOf(), bytes);
    await open();
    const { report, events } = verify(pathOf());
    expect(report).toMatchObject({ faults: [], unfinished: 1, recovered: true });
    const kept = events.flatMap((event) => (event.type === 'output' ? [String(Buffer.from(event.data))] : []));
    expect(kept).toEqual(['one', 'two', 'three']);
  });

  it('does not touch what is sealed', async () => {
    const { recordings } = await open();
    await recordings.recorders.open(session(), 'hash').close('client_closed');
    await recordings.close();
    const before = readFileSync(pathOf());
    expect((await open()).recordings.recovered).toEqual([]);
    expect(readFileSync(pathOf())).toEqual(before);
  });

  it('finds a new open recording on a day that was settled before', async () => {
    const first = await open();
    await first.recordings.recorders.open(session('ses_early'), 'hash').close('client_closed');
    await first.recordings.close();
    await (await open()).recordings.close();
    expect(existsSync(join(dataDir, 'recordings/2026/03/09/.sealed'))).toBe(true);
    await leaveOpen('ses_late');
    expect((await open()).recordings.recovered).toMatchObject([{ kind: 'sealed', session: 'ses_late' }]);
  });

  it('keeps a copy when whole events stand behind the damage', async () => {
    const bytes = await leaveOpen();
    bytes[bytes.indexOf('SELECT 2')]! ^= 1;
    writeFileSync(pathOf(), bytes);
    await open();
    const copies = readdirSync(join(dataDir, 'recordings/2026/03/09')).filter((name) => name.includes('.damaged-'));
    expect(copies).toHaveLength(1);
    expect(readFileSync(join(dataDir, 'recordings/2026/03/09', copies[0]!))).toEqual(bytes);
    expect(verify(pathOf()).report.faults).toEqual([]);
  });

  it('removes a file that never got its header', async () => {
    await leaveOpen();
    writeFileSync(pathOf(), '');
    expect((await open()).recordings.recovered).toEqual([]);
    expect(existsSync(pathOf())).toBe(false);
  });

  it.each([
    ['the header is damaged', (bytes: Buffer) => bytes.fill(7, 20, 40), /header cannot be read/],
    ['it is named after another session', (bytes: Buffer) => bytes, /recording of session ses_one/],
  ])('vouches for nothing when %s', async (_what, damage, problem) => {
    const bytes = damage(await leaveOpen());
    const id = problem.source.includes('session') ? 'ses_other' : 'ses_one';
    rmSync(pathOf());
    writeFileSync(pathOf(id), bytes);
    const { recordings } = await open();
    expect(recordings.recovered).toMatchObject([
      { kind: 'left', session: id, problem: expect.stringMatching(problem) },
    ]);
    expect(readFileSync(pathOf(id))).toEqual(bytes);
    await recordings.close();
    expect(journalEvents().map(({ name }) => name)).toContain('recording.unreadable');
  });

  it('does not seal again what somebody cut: the journal knows it was sealed', async () => {
    const { recordings } = await open();
    const recorder = recordings.recorders.open(session(), 'hash');
    recorder.append(testAction(1, 'DELETE FROM payments WHERE id = 1'));
    recorder.flush();
    const cut = readFileSync(pathOf());
    await recorder.close('client_closed');
    await recordings.close();
    writeFileSync(pathOf(), cut);
    const again = await open();
    expect(again.recordings.recovered).toMatchObject([
      { kind: 'left', problem: expect.stringContaining('the seal is gone') },
    ]);
    expect(readFileSync(pathOf())).toEqual(cut);
  });

  it('takes a reserve off that a sealed recording still carries', async () => {
    const { recordings } = await open();
    await recordings.recorders.open(session(), 'hash').close('client_closed');
    await recordings.close();
    appendFileSync(pathOf(), new Uint8Array(5000));
    await open();
    expect(verify(pathOf()).report.faults).toEqual([]);
  });
});

function trailingZeros(bytes: Buffer): number {
  let count = 0;
  while (count < bytes.length && bytes[bytes.length - 1 - count] === 0) count++;
  return count;
}
