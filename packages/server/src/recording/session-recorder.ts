import type { Log } from '@sluice/core/contract/connector.ts';
import type { Digests, Signer } from '@sluice/core/contract/crypto.ts';
import type { ActionAbout, Recorder, RowPlaces } from '@sluice/core/contract/recorder.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import type { ActionFacts, RecordingEvent } from '@sluice/core/domain/recording-event.ts';
import type { EndReason, SessionInfo } from '@sluice/core/domain/session.ts';
import type { Deflater, StartDigest } from '@sluice/core/recording/ports.ts';
import { type Finished, RecordingWriter } from '@sluice/core/recording/writer.ts';
import type { Disk } from './disk.ts';
import { RecordingFile } from './recording-file.ts';
import type { SyncGroup } from './sync-group.ts';

export interface RecorderParts {
  readonly digests: Digests;
  readonly startDigest: StartDigest;
  readonly deflater: Deflater;
  readonly signer: Signer;
  readonly disk: Disk;
  readonly group: SyncGroup;
  readonly log: Log;
  /** Bytes of rows kept per result. */
  readonly capPerResult: number;
  /** Every flush reaches the disk before it returns. */
  readonly strict: boolean;
}

const rowBatch = 64 * 1024;

/** A session's recording in a file. */
export class SessionRecorder implements Recorder {
  readonly session: string;
  readonly #parts: RecorderParts;
  readonly #file: RecordingFile;
  readonly #writer: RecordingWriter;
  readonly #onClose: (recorder: SessionRecorder) => void;
  #finished: Finished | undefined;
  #queued = false;
  #used = true;
  #closing: Promise<void> | undefined;

  /** Creates the file and writes the header; throws `CoreError('recording_failed')`. */
  constructor(
    path: string,
    session: SessionInfo,
    policyHash: string,
    parts: RecorderParts,
    onClose: (recorder: SessionRecorder) => void = () => {},
  ) {
    this.session = session.id;
    this.#parts = parts;
    this.#onClose = onClose;
    const opened = performance.now();
    try {
      this.#file = new RecordingFile(path, parts.disk);
    } catch (cause) {
      throw new CoreError('recording_failed', 'gateway', 'The session cannot be recorded and was not opened.', {
        cause,
        detail: `${path}: ${cause instanceof Error ? cause.message : String(cause)}`,
      });
    }
    const rows = { cap: parts.capPerResult, batch: rowBatch };
    const { digests, startDigest, deflater, signer } = parts;
    const sink = this.#file;
    // A monotonic clock: the wall clock may be set back while a session runs.
    const micros = (): number => (performance.now() - opened) * 1000;
    this.#writer = new RecordingWriter(
      session,
      policyHash,
      { sink, digests, startDigest, deflater, signer, micros },
      rows,
    );
    try {
      this.flush();
    } catch (error) {
      // Without a header this is no recording: nothing may be left that looks like one.
      void this.abandon();
      throw error;
    }
  }

  get path(): string {
    return this.#file.path;
  }

  /** What was sealed; set by the time `close` has returned its promise, absent when sealing failed. */
  get finished(): Finished | undefined {
    return this.#finished;
  }

  append(event: RecordingEvent): number {
    this.#queue();
    return this.#writer.append(event);
  }

  action(about: ActionAbout, facts: ActionFacts): number {
    this.#queue();
    return this.#writer.action(about, facts);
  }

  rows(bytes: Uint8Array, places?: RowPlaces): void {
    this.#queue();
    this.#writer.rows(bytes, places);
  }

  cells(bytes: Uint8Array, places?: RowPlaces): void {
    this.#queue();
    this.#writer.cells(bytes, places);
  }

  flush(): void {
    this.#queue();
    this.#writer.flush();
    if (!this.#parts.strict || !this.#file.unsynced) return;
    try {
      this.#file.syncNow();
    } catch (cause) {
      throw new CoreError('recording_failed', 'gateway', 'The session can no longer be recorded and was ended.', {
        cause,
        detail: `${this.path}: cannot be made durable`,
      });
    }
  }

  get behind(): boolean {
    return this.#file.behind;
  }

  onReady(callback: () => void): void {
    this.#file.onReady(() => {
      try {
        callback();
      } catch (cause) {
        this.#parts.log.error({ session: this.session, err: cause }, 'going on after a slow disk failed');
      }
    });
  }

  /** For the sync group. */
  settle(): boolean {
    this.#queued = false;
    if (this.#closing) return false;
    try {
      this.#writer.flush();
    } catch {
      // The writer keeps the failure: the session's next append throws it.
      return false;
    }
    return this.#file.unsynced;
  }

  /** For the sync group. Never rejects. */
  sync(): Promise<void> {
    return this.#file.sync();
  }

  /** Called now and then: gives back the buffers of a session that did nothing since the last call. */
  rest(): void {
    if (!this.#used) this.#writer.trim();
    this.#used = false;
  }

  close(reason: EndReason, error?: string): Promise<void> {
    this.#closing ??= this.#close(reason, error);
    return this.#closing;
  }

  async #close(reason: EndReason, error: string | undefined): Promise<void> {
    this.#parts.group.remove(this);
    try {
      this.#finished = this.#writer.finish(reason, error);
    } catch (cause) {
      const problem = { session: this.session, path: this.path, err: cause };
      this.#parts.log.error(problem, 'the recording could not be sealed; it will be recovered at the next start');
    }
    try {
      await this.#file.close();
    } catch (cause) {
      this.#parts.log.error({ session: this.session, path: this.path, err: cause }, 'the recording may not be durable');
    }
    try {
      this.#onClose(this);
    } catch (cause) {
      this.#parts.log.error({ session: this.session, err: cause }, 'the end of the session is not in the journal');
    }
  }

  /** Removes the recording of a session that was never opened. Never rejects. */
  abandon(): Promise<void> {
    this.#closing ??= this.#abandon();
    return this.#closing;
  }

  async #abandon(): Promise<void> {
    this.#parts.group.remove(this);
    try {
      await this.#file.abandon();
    } catch (cause) {
      this.#parts.log.error({ path: this.path, err: cause }, 'a recording without events could not be removed');
    }
  }

  #queue(): void {
    this.#used = true;
    if (this.#queued) return;
    this.#queued = true;
    this.#parts.group.add(this);
  }
}
