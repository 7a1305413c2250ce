/**
 * Recordings on disk: one file per session under `<data_dir>/recordings/<yyyy>/<mm>/<dd>`, the gateway's own journal
 * beside them, recovery at start, and reading them back. The format, the chain and the seal are core's; this part is
 * about files: when bytes reach the operating system and the disk, and what happens when they can't. It decides
 * neither what is recorded nor who may read it.
 */
import type { AuditSink } from '@sluice/core/contract/audit.ts';
import type { SealedAs } from '@sluice/core/contract/control-plane.ts';
import type { Recorder } from '@sluice/core/contract/recorder.ts';
import type { SessionInfo } from '@sluice/core/domain/session.ts';
import type { Inflater } from '@sluice/core/recording/ports.ts';
import { Journal, type Previous } from './journal.ts';
import { recordingPath } from './layout.ts';
import { RecordingLibrary } from './library.ts';
import { openForReading } from './read-file.ts';
import { type RecorderPorts, type RecorderSettings, Recorders, recorderParts } from './recorders.ts';
import { type Recovered, recoverLeft, recoverRecordings } from './recovery.ts';
import { journals } from './sealed-before.ts';
import { sealedHead } from './tail.ts';

export interface RecordingSettings extends RecorderSettings {
  /** Bytes after which the journal goes on in a new file; default 64 MiB. */
  readonly journalRotateAt?: number;
}

export interface RecordingPorts extends RecorderPorts {
  readonly inflater: Inflater;
  /** Unix milliseconds. */
  now(): number;
}

export interface Recordings {
  readonly recorders: { open(session: SessionInfo, policyHash: string): Recorder };
  /** The gateway's own audit trail. */
  readonly journal: AuditSink;
  /** What recorders of other processes have to have witnessed; throws `CoreError('recording_failed')`. */
  readonly witness: {
    opened(session: SessionInfo): void;
    sealed(session: string, seal: SealedAs): void;
  };
  /**
   * Closes what a process of this gateway that is gone has left open, and has the journal say so. Only for sessions that
   * nobody writes any more; those without a recording are passed over.
   */
  recover(sessions: readonly SessionInfo[]): Promise<readonly Recovered[]>;
  readonly library: RecordingLibrary;
  /** Sessions that the gateway before this one left open; for the index of sessions. */
  readonly recovered: readonly Recovered[];
  /** Where a session's recording is, relative to nothing: an absolute path. */
  pathOf(session: SessionInfo): string;
  /** Seals the journal. Close the sessions' recorders before. */
  close(): Promise<void>;
}

const journalRotateAt = 64 * 1024 * 1024;
const restInterval = 5_000;

/** Recovers what was left open, then opens the journal. Throws `CoreError('recording_failed')` when it can't write. */
export async function openRecordings(settings: RecordingSettings, ports: RecordingPorts): Promise<Recordings> {
  const { dataDir } = settings;
  const recovered = await recoverRecordings(dataDir, ports);
  const parts = recorderParts(settings, ports);
  const rotateAt = settings.journalRotateAt ?? journalRotateAt;
  const journal = new Journal({ dataDir, rotateAt, now: ports.now }, parts, await lastJournal(dataDir, ports.inflater));
  for (const one of recovered) journalRecovery(journal, one);

  const recorders = new Recorders(dataDir, parts, (session, seal) =>
    journal.record({ name: 'session.sealed', session, ...seal }),
  );
  const resting = setInterval(() => journal.rest(), restInterval).unref();

  return {
    recorders: {
      open: (session, policyHash) => {
        const recorder = recorders.create(session, policyHash);
        try {
          journalOpening(journal, session);
        } catch (error) {
          void recorders.abandon(recorder);
          throw error;
        }
        return recorder;
      },
    },
    journal,
    witness: {
      opened: (session) => journalOpening(journal, session),
      sealed: (session, seal) => journal.record({ name: 'session.sealed', session, ...seal }),
    },
    async recover(sessions) {
      const left = sessions.map(({ id, startedAt }) => ({ session: id, path: recordingPath(dataDir, id, startedAt) }));
      const found = await recoverLeft(left, ports);
      for (const one of found) journalRecovery(journal, one);
      return found;
    },
    library: new RecordingLibrary(dataDir, ports.inflater),
    recovered,
    pathOf: (session) => recordingPath(dataDir, session.id, session.startedAt),
    async close() {
      clearInterval(resting);
      await recorders.close();
      await journal.close();
      parts.group.stop();
    },
  };
}

function journalOpening(journal: AuditSink, session: SessionInfo): void {
  journal.record({
    name: 'session.opened',
    session: session.id,
    principal: session.principal.id,
    target: session.target.name,
    address: session.client.address,
  });
}

function journalRecovery(journal: Journal, one: Recovered): void {
  const { session } = one;
  if (one.kind === 'left') {
    journal.record({ name: 'recording.unreadable', session, error: one.problem });
    return;
  }
  const { events, droppedBytes, head } = one;
  journal.record({ name: 'recording.recovered', session, events, droppedBytes, head });
}

async function lastJournal(dataDir: string, inflater: Inflater): Promise<Previous | undefined> {
  const [last] = await journals(dataDir, inflater);
  if (!last) return undefined;
  const handle = await openForReading(last.path);
  try {
    return { session: last.session, head: (await sealedHead(handle)) ?? '' };
  } finally {
    await handle.close();
  }
}
