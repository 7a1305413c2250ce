import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type CheckedFile, JournalCheck } from '@sluice/cli/recording/journal-check.ts';
import type { HeaderEvent } from '@sluice/core/recording/entry.ts';
import { type RecordingReport, RecordingVerifier, type VerifierPorts } from '@sluice/core/recording/verifier.ts';
import { inflater } from '@sluice/server/crypto/deflate.ts';
import { plainDigests, startSha256 } from '@sluice/server/crypto/digests.ts';
import { publicKeysPath } from '@sluice/server/crypto/keys.ts';
import { readPublicKeys, sealVerifier } from '@sluice/server/crypto/public-keys.ts';
import { journalPrefix, recordingsDirectory, suffix } from '@sluice/server/recording/layout.ts';
import { readRecordingFile } from '@sluice/server/recording/read-file.ts';
import type { Ledger } from './ledger.ts';

/**
 * The recordings of one gateway: each is verified once, from its first byte to its seal, and then removed, for the disk
 * would not hold those of a long run. What the journal must say of them is kept until the end.
 */
export class SealedRecordings {
  readonly #dataDir: string;
  readonly #ledger: Ledger;
  readonly #checked: CheckedFile[] = [];
  #ports: VerifierPorts | undefined;

  constructor(dataDir: string, ledger: Ledger) {
    this.#dataDir = dataDir;
    this.#ledger = ledger;
  }

  /** Verifies what is there and tells the ledger of it. All sessions must be over. */
  async take(): Promise<string[]> {
    const faults: string[] = [];
    for (const path of await this.#paths('ses_')) {
      const session = basename(path, suffix);
      let header: HeaderEvent | undefined;
      const verifier = new RecordingVerifier(this.#verifierPorts(), {
        session,
        onEvent: (event) => {
          if (event.type === 'header') header = event;
          else if (header) this.#ledger.recorded(header, event);
        },
      });
      const report = await verified(verifier, path);
      faults.push(...faultsOf(session, report));
      this.#checked.push({ session, head: report.head, sealed: report.sealedBy !== undefined });
      await rm(path);
    }
    return faults;
  }

  /** Compares all that was taken with the journal. The gateway must have ended. */
  async close(): Promise<string[]> {
    const journal = new JournalCheck();
    const faults: string[] = [];
    for (const path of await this.#paths(journalPrefix)) {
      const session = basename(path, suffix);
      const options = { session, onEvent: (event: Parameters<JournalCheck['add']>[1]) => journal.add(session, event) };
      const report = await verified(new RecordingVerifier(this.#verifierPorts(), options), path);
      faults.push(...faultsOf(session, report));
      this.#checked.push({ session, head: report.head, sealed: report.sealedBy !== undefined });
    }
    return [...faults, ...journal.faults(this.#checked).map(({ session, message }) => `${session}: ${message}`)];
  }

  async #paths(prefix: string): Promise<string[]> {
    const root = recordingsDirectory(this.#dataDir);
    const names = await readdir(root, { recursive: true });
    return names
      .filter((name) => basename(name).startsWith(prefix) && name.endsWith(suffix))
      .sort()
      .map((name) => join(root, name));
  }

  #verifierPorts(): VerifierPorts {
    this.#ports ??= {
      digests: plainDigests,
      startDigest: startSha256,
      inflater,
      seals: sealVerifier(readPublicKeys(publicKeysPath(this.#dataDir))),
    };
    return this.#ports;
  }
}

async function verified(verifier: RecordingVerifier, path: string): Promise<RecordingReport> {
  for await (const chunk of readRecordingFile(path)) verifier.push(chunk);
  return verifier.finish();
}

function faultsOf(session: string, report: RecordingReport): string[] {
  const faults = report.faults.map(({ message }) => `${session}: ${message}`);
  if (report.sealedBy === undefined) faults.push(`${session}: the recording is not sealed`);
  return faults;
}
