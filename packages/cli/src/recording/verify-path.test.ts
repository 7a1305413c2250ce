import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { rotateSealKey } from '@sluice/server/crypto/keys.ts';
import pc from 'picocolors';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openTestRecordings, testAction, testSession } from '../../../../test/harness/recordings.ts';
import { verifyPath } from './verify-path.ts';
import type { VerifyReport } from './verify-report.ts';
import { verifyLines } from './verify-text.ts';

let original: string;
let dataDir: string;

/** A data directory with three sessions over two runs of a gateway, and a rotated key between them. */
beforeAll(async () => {
  original = mkdtempSync(join(tmpdir(), 'sluice-verify-original-'));
  await record(original, 'ses_one', 'ses_two');
  rotateSealKey(original);
  await record(original, 'ses_three');
});
afterAll(() => rmSync(original, { recursive: true }));
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'sluice-verify-'));
  cpSync(original, dataDir, { recursive: true });
});
afterEach(() => rmSync(dataDir, { recursive: true }));

async function record(into: string, ...sessions: string[]): Promise<void> {
  const { recordings } = await openTestRecordings(into);
  for (const id of sessions) {
    const recorder = recordings.recorders.open(testSession(id), 'hash');
    for (let unit = 1; unit <= 5; unit++) recorder.append(testAction(unit, `SELECT ${unit} FROM ${id}`));
    await recorder.close('client_closed');
  }
  await recordings.close();
}

function files(): string[] {
  const root = join(dataDir, 'recordings');
  const names = readdirSync(root, { recursive: true }) as string[];
  return names
    .filter((name) => name.endsWith('.sluice'))
    .sort()
    .map((name) => join(root, name));
}
const fileOf = (session: string): string => files().find((path) => basename(path) === `${session}.sluice`)!;
const journals = (): string[] => files().filter((path) => basename(path).startsWith('gateway-'));

function flip(path: string, text: string): number {
  const bytes = readFileSync(path);
  const at = bytes.indexOf(text);
  bytes[at]! ^= 1;
  writeFileSync(path, bytes);
  return at;
}

const codes = (report: VerifyReport): string[] => [
  ...report.files.flatMap(({ faults }) => faults.map(({ code }) => code)),
  ...report.journal.map(({ code }) => code),
];

const plain = pc.createColors(false);

describe('verifying a data directory', () => {
  it('finds everything in order, over a key rotation', async () => {
    const report = await verifyPath(dataDir);
    expect(codes(report)).toEqual([]);
    expect(report).toMatchObject({ ok: true, compared: true, counts: { sealed: 5, recovered: 0, open: 0, faulty: 0 } });
    expect(new Set(report.files.map(({ keyId }) => keyId)).size).toBe(2);
    expect(verifyLines(report, plain)[0]).toBe('VERIFIED 5 recordings: 5 sealed, the journal agrees');
  });

  const tamperings: readonly (readonly [what: string, () => void, string])[] = [
    ['a byte is flipped', () => flip(fileOf('ses_two'), 'SELECT 3'), 'checksum'],
    ['a byte of the journal is flipped', () => flip(journals()[0]!, 'session.opened'), 'checksum'],
    [
      'a recording is cut between two events',
      () => truncateSync(fileOf('ses_two'), readFileSync(fileOf('ses_two')).length - 130),
      'seal_missing',
    ],
    [
      'a cut recording is dressed up as one in progress',
      () => {
        truncateSync(fileOf('ses_two'), readFileSync(fileOf('ses_two')).length - 130);
        appendFileSync(fileOf('ses_two'), new Uint8Array(5000));
      },
      'unsealed',
    ],
    ['a recording is deleted', () => rmSync(fileOf('ses_two')), 'missing'],
    ['two recordings change names', swap, 'name'],
    ['a recording is put in the place of another', () => cpSync(fileOf('ses_one'), fileOf('ses_two')), 'name'],
    [
      'a recording gets a second name',
      () => cpSync(fileOf('ses_one'), join(dirname(fileOf('ses_one')), 'ses_four.sluice')),
      'unknown',
    ],
    ['the first journal is deleted', () => rmSync(journals()[0]!), 'missing'],
    ['all journals are deleted', () => journals().map((path) => rmSync(path)), 'no_journal'],
    ['bytes are added', () => appendFileSync(fileOf('ses_two'), 'x'), 'trailing'],
    [
      'the public key is exchanged',
      () => writeFileSync(join(dataDir, 'keys/public.json'), '{"keys":[]}'),
      'foreign_key',
    ],
    [
      'a recording becomes a link',
      () => {
        renameSync(fileOf('ses_two'), join(dataDir, 'elsewhere'));
        symlinkSync(join(dataDir, 'elsewhere'), join(dirname(fileOf('ses_one')), 'ses_two.sluice'));
      },
      'unreadable',
    ],
  ];

  function swap(): void {
    const [one, two, aside] = [fileOf('ses_one'), fileOf('ses_two'), join(dataDir, 'aside')];
    renameSync(one, aside);
    renameSync(two, one);
    renameSync(aside, two);
  }

  it.each(tamperings)('fails when %s', async (_what, tamper, code) => {
    tamper();
    const report = await verifyPath(dataDir);
    expect(report.ok).toBe(false);
    expect(codes(report)).toContain(code);
    expect(verifyLines(report, plain).join('\n')).toContain('NOT VERIFIED');
  });

  it('sees a session sealed again by another gateway with the same name', async () => {
    const other = mkdtempSync(join(tmpdir(), 'sluice-verify-other-'));
    await record(other, 'ses_two');
    const path = fileOf('ses_two');
    cpSync(join(other, path.slice(dataDir.length)), path);
    rmSync(other, { recursive: true });
    expect(codes(await verifyPath(dataDir))).toContain('foreign_key');
    const report = await verifyPath(path);
    expect(report.ok).toBe(false);
  });

  it('sees a session recorded again with the very key of the deployment', async () => {
    const path = fileOf('ses_three');
    const other = mkdtempSync(join(tmpdir(), 'sluice-verify-other-'));
    cpSync(join(dataDir, 'keys'), join(other, 'keys'), { recursive: true });
    await record(other, 'ses_three');
    cpSync(join(other, path.slice(dataDir.length)), path);
    rmSync(other, { recursive: true });
    // Sealed rightly, so the file alone verifies; the journal knows that it was another.
    expect((await verifyPath(path)).ok).toBe(true);
    expect(codes(await verifyPath(dataDir))).toEqual(['replaced']);
  });

  it('counts recordings in progress without calling them sealed', async () => {
    const { recordings } = await openTestRecordings(dataDir);
    const recorder = recordings.recorders.open(testSession('ses_live'), 'hash');
    recorder.append(testAction(1, 'SELECT 1'));
    recorder.flush();
    const report = await verifyPath(dataDir);
    expect(codes(report)).toEqual([]);
    expect(report).toMatchObject({ ok: true, counts: { sealed: 5, open: 2 } });
    expect(verifyLines(report, plain)[0]).toContain('2 still open');
    expect(await verifyPath(fileOf('ses_live'))).toMatchObject({ ok: false });
    await recorder.close('killed');
    await recordings.close();
    expect(await verifyPath(dataDir)).toMatchObject({ ok: true, counts: { sealed: 7, open: 0 } });
  });
});

describe('verifying one recording', () => {
  it('takes the keys of the data directory it lies in', async () => {
    const report = await verifyPath(fileOf('ses_one'));
    expect(report).toMatchObject({ ok: true, compared: false, keys: join(dataDir, 'keys/public.json') });
    expect(verifyLines(report, plain).join('\n')).toContain('ses_one');
  });

  it('takes keys from elsewhere when given', async () => {
    const alone = mkdtempSync(join(tmpdir(), 'sluice-verify-alone-'));
    cpSync(fileOf('ses_one'), join(alone, 'ses_one.sluice'));
    await expect(verifyPath(join(alone, 'ses_one.sluice'))).rejects.toThrow('there are no public keys beside it');
    expect((await verifyPath(join(alone, 'ses_one.sluice'), join(dataDir, 'keys/public.json'))).ok).toBe(true);
    rmSync(alone, { recursive: true });
  });

  it('says at which byte and event the damage is', async () => {
    const at = flip(fileOf('ses_two'), 'SELECT 3');
    const report = await verifyPath(fileOf('ses_two'));
    const [fault] = report.files[0]!.faults;
    expect(fault).toMatchObject({ code: 'checksum', event: 3 });
    expect(fault!.offset).toBeLessThanOrEqual(at);
    expect(at - fault!.offset).toBeLessThan(1000);
    expect(verifyLines(report, plain).join('\n')).toContain(
      `event 3 at byte ${fault!.offset}: the checksum does not fit, something was changed`,
    );
  });

  it('holds a session name against the content, and makes nothing of other names', async () => {
    const directory = join(dataDir, 'copies');
    mkdirSync(directory);
    cpSync(fileOf('ses_one'), join(directory, 'ses_two.sluice'));
    cpSync(fileOf('ses_one'), join(directory, 'evidence.bin'));
    expect(codes(await verifyPath(join(directory, 'ses_two.sluice')))).toEqual(['name']);
    expect((await verifyPath(join(directory, 'evidence.bin'))).ok).toBe(true);
  });

  it.each([
    ['a path that is not there', () => join(dataDir, 'nothing'), 'there is no such file'],
    ['a directory without recordings', () => join(dataDir, 'keys'), 'there are no recordings'],
  ])('refuses %s with a clear message', async (_what, path, message) => {
    await expect(verifyPath(path())).rejects.toThrow(message);
  });

  it('refuses a broken list of keys with a clear message', async () => {
    writeFileSync(join(dataDir, 'keys/public.json'), '{"keys": [{"algorithm": "none"}]}');
    await expect(verifyPath(dataDir)).rejects.toThrow('the algorithm is not Ed25519');
  });
});
