import { existsSync, statSync } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AnyEvent } from '@sluice/core/recording/entry.ts';
import { isSessionId } from '@sluice/core/recording/format.ts';
import { type RecordingReport, RecordingVerifier, type VerifierPorts } from '@sluice/core/recording/verifier.ts';
import { inflater } from '@sluice/server/crypto/deflate.ts';
import { plainDigests, startSha256 } from '@sluice/server/crypto/digests.ts';
import { KeyError } from '@sluice/server/crypto/key-files.ts';
import { publicKeysPath } from '@sluice/server/crypto/keys.ts';
import { readPublicKeys, sealVerifier } from '@sluice/server/crypto/public-keys.ts';
import { journalPrefix, recordingsDirectory, suffix } from '@sluice/server/recording/layout.ts';
import { readRecordingFile } from '@sluice/server/recording/read-file.ts';
import { CliError } from '../cli-error.ts';
import { JournalCheck } from './journal-check.ts';
import type { FileReport, Standing, VerifyReport } from './verify-report.ts';

/**
 * Verifies a recording, every recording under a directory, or a whole data directory (then also against the gateway's
 * journal). Needs the files and the public keys; by default those of the data directory that `path` is or lies in.
 * Throws `CliError` when there is nothing to verify or no keys to verify with.
 */
export async function verifyPath(path: string, publicKeysPath?: string): Promise<VerifyReport> {
  const at = resolve(path);
  const kind = statSync(at, { throwIfNoEntry: false });
  if (!kind) throw new CliError('bad_file', `${path}: there is no such file or directory.`);
  const keys = publicKeysPath === undefined ? keysBeside(at, path) : resolve(publicKeysPath);
  const ports = portsFor(keys);
  if (!kind.isDirectory()) return verifySingle(at, keys, ports);
  return verifyDirectory(at, keys, ports);
}

async function verifySingle(path: string, keys: string, ports: VerifierPorts): Promise<VerifyReport> {
  // A file somebody named otherwise makes no claim by its name; one that is named like a session does.
  const stem = basename(path, suffix);
  const named = path.endsWith(suffix) && /^(ses_|gateway-)/.test(stem) && isSessionId(stem);
  const report = fileReport(path, await verifyFile(path, ports, named ? stem : undefined), false);
  return summary(path, keys, [report], []);
}

async function verifyDirectory(at: string, keys: string, ports: VerifierPorts): Promise<VerifyReport> {
  const whole = existsSync(recordingsDirectory(at));
  const root = whole ? recordingsDirectory(at) : at;
  const check = new JournalCheck();
  const files: FileReport[] = [];
  const paths = await recordingsUnder(root);
  // Journals last: a session that is sealed meanwhile is in the journal by the time that is read.
  const journals = paths.filter((path) => basename(path).startsWith(journalPrefix));
  for (const path of paths.filter((each) => !each.includes(`/${journalPrefix}`))) {
    files.push(fileReport(path, await verifyFile(path, ports, basename(path, suffix)), true));
  }
  for (const path of journals) {
    const journal = basename(path, suffix);
    const report = await verifyFile(path, ports, journal, (event) => check.add(journal, event));
    files.push(fileReport(path, report, true));
  }
  if (files.length === 0) throw new CliError('bad_file', `${at}: there are no recordings here.`);
  if (!whole) return summary(at, keys, files, []);
  return summary(at, keys, files, await compared(check, files, ports, root), true);
}

/** Compares with the journal; what was opened or sealed while the files were read is looked at once more. */
async function compared(
  check: JournalCheck,
  files: FileReport[],
  ports: VerifierPorts,
  root: string,
): Promise<VerifyReport['journal']> {
  const state = () =>
    files.map((file) => ({
      session: basename(file.path, suffix),
      head: file.head,
      sealed: file.standing === 'sealed' || file.standing === 'recovered' || file.keyId !== undefined,
    }));
  const suspects = new Set(check.faults(state()).map(({ session }) => session));
  if (suspects.size === 0) return [];
  for (const path of await recordingsUnder(root)) {
    const session = basename(path, suffix);
    if (!suspects.has(session) || session.startsWith(journalPrefix)) continue;
    const at = files.findIndex((file) => file.path === path);
    if (at >= 0 && files[at]?.standing !== 'open') continue;
    const again = fileReport(path, await verifyFile(path, ports, session), true);
    if (at >= 0) files[at] = again;
    else files.push(again);
  }
  return check.faults(state());
}

async function verifyFile(
  path: string,
  ports: VerifierPorts,
  session: string | undefined,
  onEvent?: (event: AnyEvent) => void,
): Promise<RecordingReport> {
  for (let attempt = 1; ; attempt++) {
    const before = await lstat(path);
    const verifier = new RecordingVerifier(ports, {
      ...(session === undefined ? {} : { session }),
      ...(onEvent ? { onEvent } : {}),
    });
    try {
      for await (const chunk of readRecordingFile(path)) verifier.push(chunk);
    } catch (error) {
      return unreadable(verifier.finish(), error);
    }
    const report = verifier.finish();
    if (report.faults.length === 0 || report.open || attempt === 3) return report;
    // Read while it was being written: half an event may have been seen.
    const after = await lstat(path);
    if (after.mtimeMs === before.mtimeMs && Date.now() - after.mtimeMs > 1000) return report;
    await sleep(50);
  }
}

/** A link, a file without permission, a failing disk: one file's trouble, not the end of the verification. */
function unreadable(report: RecordingReport, error: unknown): RecordingReport {
  const code = (error as NodeJS.ErrnoException).code ?? 'not a file';
  const message = code === 'ELOOP' ? 'this is a link, not a recording' : `the file cannot be read (${code})`;
  return { ...report, open: false, faults: [{ code: 'unreadable', offset: 0, message }], moreFaults: 0 };
}

function fileReport(path: string, report: RecordingReport, mayBeOpen: boolean): FileReport {
  const { header, end, faults, moreFaults, events, unfinished, head } = report;
  const standing: Standing =
    report.open && mayBeOpen ? 'open' : faults.length > 0 ? 'faulty' : report.recovered ? 'recovered' : 'sealed';
  return {
    path,
    standing,
    ...(header
      ? {
          session: header.session,
          principal: header.principal.id,
          target: header.target.name,
          startedAt: new Date(Math.min(Math.max(header.startedAt, 0), 8.64e15)).toISOString(),
        }
      : {}),
    ...(end ? { endReason: end.reason } : {}),
    events,
    unfinished,
    head,
    ...(report.sealedBy === undefined ? {} : { keyId: report.sealedBy }),
    faults: standing === 'open' ? [] : faults,
    moreFaults,
  };
}

function summary(
  path: string,
  keys: string,
  files: readonly FileReport[],
  journal: VerifyReport['journal'],
  compared = false,
): VerifyReport {
  const counts = { sealed: 0, recovered: 0, open: 0, faulty: 0 };
  for (const { standing } of files) counts[standing]++;
  return { ok: counts.faulty === 0 && journal.length === 0, path, keys, files, journal, compared, counts };
}

async function recordingsUnder(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.name.endsWith(suffix) && !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function portsFor(keys: string): VerifierPorts {
  try {
    const seals = sealVerifier(readPublicKeys(keys));
    return { digests: plainDigests, startDigest: startSha256, inflater, seals };
  } catch (error) {
    if (!(error instanceof KeyError)) throw error;
    throw new CliError('bad_file', error.message, {
      hint: 'Give the public keys of the gateway that made the recordings: <data_dir>/keys/public.json.',
      cause: error,
    });
  }
}

/** The keys of the data directory that the path is, or lies in. */
function keysBeside(at: string, shown: string): string {
  for (let directory = at; ; directory = dirname(directory)) {
    const candidate = publicKeysPath(directory);
    if (existsSync(candidate)) return candidate;
    if (directory === dirname(directory)) break;
  }
  throw new CliError('bad_file', `${shown}: there are no public keys beside it.`, {
    hint: 'Give the public keys of the gateway that made it: <data_dir>/keys/public.json.',
  });
}
