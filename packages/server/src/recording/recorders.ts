import type { Log } from '@sluice/core/contract/connector.ts';
import type { SealedAs, SessionRegister } from '@sluice/core/contract/control-plane.ts';
import type { Digests, Signer } from '@sluice/core/contract/crypto.ts';
import type { RecorderFactory } from '@sluice/core/contract/recorder.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import type { SessionInfo } from '@sluice/core/domain/session.ts';
import { isSessionId } from '@sluice/core/recording/format.ts';
import type { Deflater, StartDigest } from '@sluice/core/recording/ports.ts';
import { type Disk, realDisk } from './disk.ts';
import { recordingPath } from './layout.ts';
import { type RecorderParts, SessionRecorder } from './session-recorder.ts';
import { SyncGroup } from './sync-group.ts';

export interface RecorderSettings {
  readonly dataDir: string;
  /** `group`: what was flushed is on disk one interval later. `strict`: before the flush returns. */
  readonly durability: 'group' | 'strict';
  /** Milliseconds. */
  readonly syncInterval: number;
  /** Bytes of rows kept per result. */
  readonly capPerResult: number;
}

export interface RecorderPorts {
  readonly digests: Digests;
  readonly startDigest: StartDigest;
  readonly signer: Signer;
  readonly deflater: Deflater;
  readonly log: Log;
  /** For tests; the real disk by default. */
  readonly disk?: Disk;
}

/** Compression may use this much of a process's event loop: bytes per second. */
export const deflateBudget = 8 * 1024 * 1024;

const restInterval = 5_000;

export function recorderParts(settings: RecorderSettings, ports: RecorderPorts): RecorderParts {
  return {
    ...ports,
    disk: ports.disk ?? realDisk,
    group: new SyncGroup(settings.syncInterval),
    capPerResult: settings.capPerResult,
    strict: settings.durability === 'strict',
  };
}

/** The recordings that one process writes. */
export class Recorders {
  readonly #dataDir: string;
  readonly #parts: RecorderParts;
  readonly #sealed: (session: string, seal: SealedAs) => void;
  readonly #open = new Set<SessionRecorder>();
  readonly #resting: NodeJS.Timeout;

  constructor(dataDir: string, parts: RecorderParts, sealed: (session: string, seal: SealedAs) => void) {
    this.#dataDir = dataDir;
    this.#parts = parts;
    this.#sealed = sealed;
    this.#resting = setInterval(() => {
      for (const recorder of this.#open) recorder.rest();
    }, restInterval).unref();
  }

  /** Throws `CoreError('recording_failed')`. What it returns is to be witnessed, or abandoned. */
  create(session: SessionInfo, policyHash: string): SessionRecorder {
    if (!isSessionId(session.id)) {
      throw new CoreError('recording_failed', 'gateway', 'The session cannot be recorded and was not opened.', {
        detail: 'the session id cannot be a file name',
      });
    }
    const path = recordingPath(this.#dataDir, session.id, session.startedAt);
    const recorder = new SessionRecorder(path, session, policyHash, this.#parts, (closed) => {
      this.#open.delete(closed);
      const { finished } = closed;
      if (!finished) return;
      const { events, head, reason } = finished;
      this.#sealed(session.id, { reason, events, head });
    });
    this.#open.add(recorder);
    return recorder;
  }

  /** Nothing of its session happened yet; a recording that no journal knows would look like one put in. */
  abandon(recorder: SessionRecorder): Promise<void> {
    this.#open.delete(recorder);
    return recorder.abandon();
  }

  /** Closes what is still open. */
  async close(): Promise<void> {
    clearInterval(this.#resting);
    await Promise.all([...this.#open].map((recorder) => recorder.close('gateway_stopped')));
  }
}

export interface WitnessedRecorders extends RecorderFactory {
  close(): Promise<void>;
}

/** For a process that does not write the journal itself: whoever does is told of each recording. */
export function witnessedRecorders(
  settings: RecorderSettings,
  ports: RecorderPorts,
  register: Pick<SessionRegister, 'opening' | 'recorded' | 'dropped' | 'sealed'>,
): WitnessedRecorders {
  const parts = recorderParts(settings, ports);
  const recorders = new Recorders(settings.dataDir, parts, (session, seal) => register.sealed(session, seal));
  return {
    async open(session, policyHash) {
      register.opening(session);
      let recorder: SessionRecorder | undefined;
      try {
        recorder = recorders.create(session, policyHash);
        await register.recorded(session);
        return recorder;
      } catch (error) {
        if (recorder) await recorders.abandon(recorder);
        register.dropped(session.id);
        throw error;
      }
    },
    async close() {
      await recorders.close();
      parts.group.stop();
    },
  };
}
