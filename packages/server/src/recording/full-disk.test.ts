import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Recorder } from '@sluice/core/contract/recorder.ts';
import { type RecordingReport, RecordingVerifier } from '@sluice/core/recording/verifier.ts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestRecordings, testAction, testSession } from '../../../../test/harness/recordings.ts';
import { inflater } from '../crypto/deflate.ts';
import { plainDigests, startSha256 } from '../crypto/digests.ts';
import { publicKeysPath } from '../crypto/keys.ts';
import { readPublicKeys, sealVerifier } from '../crypto/public-keys.ts';
import { type Disk, realDisk } from './disk.ts';

let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'sluice-full-'));
});
afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

function verify(path: string): RecordingReport {
  const seals = sealVerifier(readPublicKeys(publicKeysPath(dataDir)));
  const verifier = new RecordingVerifier({ digests: plainDigests, startDigest: startSha256, inflater, seals });
  verifier.push(readFileSync(path));
  return verifier.finish();
}

/** Records until it is refused; returns how many statements were accepted. */
function fill(recorder: Recorder): number {
  for (let unit = 1; ; unit++) {
    try {
      recorder.append(testAction(unit, `SELECT ${'1'.repeat(900)}`));
      recorder.flush();
    } catch (error) {
      expect(error).toMatchObject({ code: 'recording_failed', source: 'gateway' });
      return unit - 1;
    }
  }
}

function journalsOf(): string[] {
  const names = readdirSync(join(dataDir, 'recordings'), { recursive: true }) as string[];
  return names.filter((name) => /gateway-.*\.sluice$/.test(name)).map((name) => join(dataDir, 'recordings', name));
}

/** A disk with so many bytes; what was written once can be written over, as on a file system that writes in place. */
function diskOf(capacity: { bytes: number }): Disk {
  const sizes = new Map<number, number>();
  const take = (fd: number, position: number, wanted: number): number => {
    const size = sizes.get(fd) ?? 0;
    const growth = Math.max(position + wanted - size, 0);
    const granted = Math.min(growth, capacity.bytes);
    const taken = wanted - (growth - granted);
    if (wanted > 0 && taken <= 0) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    capacity.bytes -= granted;
    sizes.set(fd, Math.max(size, position + taken));
    return taken;
  };
  return {
    ...realDisk,
    write(fd, bytes, offset, position) {
      const taken = take(fd, position, bytes.length - offset);
      return realDisk.write(fd, bytes.subarray(0, offset + taken), offset, position);
    },
    writeBoth(fd, first, second, position) {
      const taken = take(fd, position, first.length + second.length);
      return realDisk.write(fd, Buffer.concat([first, second]).subarray(0, taken), 0, position);
    },
    close(fd) {
      sizes.delete(fd);
      return realDisk.close(fd);
    },
  };
}

describe('a full disk', () => {
  it('refuses the statement, and the recording is closed validly in the space kept for that', async () => {
    const disk = diskOf({ bytes: 300_000 });
    const { recordings, logged } = await openTestRecordings(dataDir, {}, { disk });
    const recorder = recordings.recorders.open(testSession('ses_full'), 'hash');
    const accepted = fill(recorder);
    expect(accepted).toBeGreaterThan(100);
    await recorder.close('recording_failed');
    const report = verify((await recordings.library.find('ses_full'))!);
    expect(report.faults).toEqual([]);
    expect(report.end).toMatchObject({ reason: 'recording_failed', lost: 1, counts: { units: accepted + 1 } });
    expect(report.events).toBe(accepted + 2);
    await recordings.close();
    for (const path of journalsOf()) expect(verify(path).faults).toEqual([]);
    expect(logged.filter((line) => line.includes('could not be sealed'))).toEqual([]);
  });

  it('refuses to open a session, and leaves nothing behind that looks like a recording', async () => {
    const capacity = { bytes: 100_000 };
    const { recordings } = await openTestRecordings(dataDir, {}, { disk: diskOf(capacity) });
    capacity.bytes = 100;
    expect(() => recordings.recorders.open(testSession('ses_none'), 'hash')).toThrow(
      expect.objectContaining({ code: 'recording_failed' }),
    );
    await expect.poll(() => recordings.library.find('ses_none')).toBeUndefined();
    await recordings.close();
  });

  it('makes the journal refuse, and go on in a new file once there is space', async () => {
    const capacity = { bytes: 100_000 };
    const { recordings } = await openTestRecordings(dataDir, {}, { disk: diskOf(capacity) });
    const { journal } = recordings;
    capacity.bytes = 0;
    const flood = (): void => {
      for (let i = 0; i < 1000; i++) journal.record({ name: 'request.settled', request: `req_${i}`, state: 'used' });
    };
    expect(flood).toThrow(expect.objectContaining({ code: 'recording_failed' }));
    expect(flood).toThrow(expect.objectContaining({ code: 'recording_failed' }));
    capacity.bytes = 100_000;
    journal.record({ name: 'session.killed', session: 'ses_x', by: 'dana' });
    await recordings.close();
    const reports = journalsOf().map((path) => verify(path));
    expect(reports.flatMap(({ faults }) => faults)).toEqual([]);
    expect(reports.map(({ end }) => end?.reason).sort()).toEqual(['gateway_stopped', 'recording_failed']);
  });

  it('leaves an unsealed recording for the next start when even the reserve is refused', async () => {
    const broken = { now: false };
    const orRefuse = <T>(work: () => T): T => {
      if (broken.now) throw new Error('EIO: i/o error');
      return work();
    };
    const disk: Disk = {
      ...realDisk,
      write: (...args) => orRefuse(() => realDisk.write(...args)),
      writeBoth: (...args) => orRefuse(() => realDisk.writeBoth(...args)),
    };
    const first = await openTestRecordings(dataDir, {}, { disk });
    const recorder = first.recordings.recorders.open(testSession('ses_eio'), 'hash');
    broken.now = true;
    fill(recorder);
    await recorder.close('recording_failed');
    await first.recordings.close();
    expect(first.logged).toContainEqual(expect.stringContaining('could not be sealed'));
    const second = await openTestRecordings(dataDir);
    expect(second.recordings.recovered.map(({ kind, session }) => [kind, session.slice(0, 7)])).toContainEqual([
      'sealed',
      'ses_eio',
    ]);
    await second.recordings.close();
  });
});

describe('a real small file system', () => {
  let mounted: string | undefined;

  beforeEach(() => {
    const at = join(dataDir, 'recordings');
    mkdirSync(at, { mode: 0o700 });
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', at], { stdio: 'ignore' });
      mounted = at;
    } catch {
      mounted = undefined;
    }
  });
  afterEach(() => {
    if (mounted) execFileSync('umount', [mounted]);
  });

  it('filled by recording and by others: sessions end, every recording verifies', async (context) => {
    if (!mounted) return context.skip('mounting a file system needs privileges');
    const { recordings } = await openTestRecordings(dataDir);
    const sessions = ['ses_a', 'ses_b', 'ses_c'].map((id) => recordings.recorders.open(testSession(id), 'hash'));
    const accepted = sessions.slice(0, 2).map(fill);
    // Somebody else takes what is left, to the last block.
    const { bavail, bsize } = statfsSync(mounted);
    try {
      writeFileSync(join(mounted, 'ballast'), new Uint8Array((bavail + 1) * bsize));
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOSPC' });
    }
    accepted.push(fill(sessions[2]!));
    await Promise.all(sessions.map((recorder) => recorder.close('recording_failed')));
    for (const [i, id] of ['ses_a', 'ses_b', 'ses_c'].entries()) {
      const report = verify((await recordings.library.find(id))!);
      expect(report.faults).toEqual([]);
      expect(report.end).toMatchObject({ reason: 'recording_failed', lost: 1 });
      expect(report.events).toBe(accepted[i]! + 2);
    }
    await recordings.close();
    for (const path of journalsOf()) expect(verify(path).faults).toEqual([]);
  });
});
