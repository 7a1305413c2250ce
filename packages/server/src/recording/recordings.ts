/**
 * Recordings on disk: one file per session under `<data_dir>/recordings/<yyyy>/<mm>/<dd>`, the gateway's own journal
 * beside them, recovery at start, and reading them back. The format, the chain and the seal are core's; this part is
 * about files: when bytes reach the operating system and the disk, and what happens when they can't. It decides
 * neither what is recorded nor who may read it.
 */
import type { AuditSink } from '@sluice/core/contract/audit.ts';
import type { Log } from '@sluice/core/contract/connector.ts';
import type { Digests, Signer } from '@sluice/core/contract/crypto.ts';
import type { Recorder, RecorderFactory } from '@sluice/core/contract/recorder.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import type { SessionInfo } from '@sluice/core/domain/session.ts';
import { isSessionId } from '@sluice/core/recording/format.ts';
import type { Deflater, Inflater, StartDigest } from '@sluice/core/recording/ports.ts';
import { type Disk, realDisk } from './disk.ts';
import { Journal, type Previous } from './journal.ts';
import { recordingPath } from './layout.ts';
import { RecordingLibrary } from './library.ts';
import { openForReading } from './read-file.ts';
import { type Recovered, recoverRecordings } from './recovery.ts';
import { journals } from './sealed-before.ts';
import { type RecorderParts, SessionRecorder } from './session-recorder.ts';
import { SyncGroup } from './sync-group.ts';
import { sealedHead } from './tail.ts';

export interface RecordingSettings {
  readonly dataDir: string;
  /** `group`: what was flushed is on disk one interval later. `strict`: before the flush returns. */
  readonly durability: 'group' | 'strict';
  /** Milliseconds. */
  readonly syncInterval: number;
  /** Bytes of rows kept per result. */
  readonly capPerResult: number;
  /** Bytes after which the journal goes on in a new file; default 64 MiB. */
  readonly journalRotateAt?: number;
}

export interface RecordingPorts {
  readonly digests: Digests;
  readonly startDigest: StartDigest;
  readonly signer: Signer;
  readonly deflater: Deflater;
  readonly inflater: Inflater;
  readonly log: Log;
  /** Unix milliseconds. */
  now(): number;
  /** For tests; the real disk by default. */
  readonly disk?: Disk;
}

export interface Recordings {
  readonly recorders: RecorderFactory;
  /** The gateway's own audit trail. `session.opened` and `session.sealed` are written here, by the recorders. */
  readonly journal: AuditSink;
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
  const group = new SyncGroup(settings.syncInterval);
  const parts: RecorderParts = {
    ...ports,
    disk: ports.disk ?? realDisk,
    group,
    capPerResult: settings.capPerResult,
    strict: settings.durability === 'strict',
  };
  const rotateAt = settings.journalRotateAt ?? journalRotateAt;
  const journal = new Journal({ dataDir, rotateAt, now: ports.now }, parts, await lastJournal(dataDir, ports.inflater));
  for (const one of recovered) journalRecovery(journal, one);

  const open = new Set<SessionRecorder>();
  const resting = setInterval(() => {
    journal.rest();
    for (const recorder of open) recorder.rest();
  }, restInterval).unref();

  return {
    recorders: {
      open: (session, policyHash) => openRecorder(session, policyHash, dataDir, parts, journal, open),
    },
    journal,
    library: new RecordingLibrary(dataDir, ports.inflater),
    recovered,
    pathOf: (session) => recordingPath(dataDir, session.id, session.startedAt),
    async close() {
      clearInterval(resting);
      await Promise.all([...open].map((recorder) => recorder.close('gateway_stopped')));
      await journal.close();
      group.stop();
    },
  };
}

function openRecorder(
  session: SessionInfo,
  policyHash: string,
  dataDir: string,
  parts: RecorderParts,
  journal: Journal,
  open: Set<SessionRecorder>,
): Recorder {
  if (!isSessionId(session.id)) {
    throw new CoreError('recording_failed', 'gateway', 'The session cannot be recorded and was not opened.', {
      detail: 'the session id cannot be a file name',
    });
  }
  const path = recordingPath(dataDir, session.id, session.startedAt);
  const recorder = new SessionRecorder(path, session, policyHash, parts, (closed) => {
    open.delete(closed);
    const { finished } = closed;
    if (!finished) return;
    const { events, head } = finished;
    journal.record({ name: 'session.sealed', session: session.id, events, head, reason: finished.reason });
  });
  try {
    journal.record({
      name: 'session.opened',
      session: session.id,
      principal: session.principal.id,
      target: session.target.name,
      address: session.client.address,
    });
  } catch (error) {
    // Nothing of this session happened yet; a recording that no journal knows would look like one put in.
    void recorder.abandon();
    throw error;
  }
  open.add(recorder);
  return recorder;
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
