import { randomBytes } from 'node:crypto';
import { auditDetail } from '@sluice/core/audit/redact.ts';
import type { AuditSink } from '@sluice/core/contract/audit.ts';
import type { AuditEvent } from '@sluice/core/domain/audit-event.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import type { SessionInfo } from '@sluice/core/domain/session.ts';
import { journalPrefix, recordingPath } from './layout.ts';
import { type RecorderParts, SessionRecorder } from './session-recorder.ts';

/** The journal that came before, by session id; `head` is empty when it has no seal. */
export interface Previous {
  readonly session: string;
  readonly head: string;
}

export interface JournalSettings {
  readonly dataDir: string;
  /** Bytes after which a new journal takes over. */
  readonly rotateAt: number;
  now(): number;
}

/**
 * The gateway's own recording: one per start, and a new one when it has grown large or a write has failed. Each names
 * the one before it by its head, so that a journal that is gone shows.
 */
export class Journal implements AuditSink {
  readonly #settings: JournalSettings;
  readonly #parts: RecorderParts;
  readonly #closed: Promise<void>[] = [];
  #previous: Previous | undefined;
  #current: SessionRecorder | undefined;
  #bytes = 0;
  #over = false;

  /** Opens the first journal; throws `CoreError('recording_failed')`. */
  constructor(settings: JournalSettings, parts: RecorderParts, previous: Previous | undefined) {
    this.#settings = settings;
    this.#parts = parts;
    this.#previous = previous;
    this.#current = this.#open();
  }

  /** Session id of the journal that is being written. */
  get session(): string {
    return this.#current?.session ?? '';
  }

  record(event: AuditEvent): void {
    if (this.#over) {
      throw new CoreError('recording_failed', 'gateway', 'The gateway is stopping.', {
        detail: 'the journal is sealed',
      });
    }
    // After a failed write a fresh journal is tried each time: once there is space again, witnessing goes on.
    this.#current ??= this.#open();
    try {
      this.#append(this.#current, event);
    } catch (error) {
      this.#retire(this.#current, 'recording_failed');
      throw error;
    }
    if (this.#bytes > this.#settings.rotateAt) this.#retire(this.#current, 'gateway_stopped');
  }

  rest(): void {
    this.#current?.rest();
  }

  async close(): Promise<void> {
    this.#over = true;
    if (this.#current) this.#retire(this.#current, 'gateway_stopped');
    await Promise.all(this.#closed);
  }

  #append(recorder: SessionRecorder, event: AuditEvent): void {
    const detail = auditDetail(event);
    recorder.append({ type: 'event', name: event.name, detail });
    recorder.flush();
    this.#bytes += 200;
    for (const value of Object.values(detail)) this.#bytes += typeof value === 'string' ? value.length : 8;
  }

  #open(): SessionRecorder {
    const startedAt = this.#settings.now();
    const session = journalSession(startedAt);
    const path = recordingPath(this.#settings.dataDir, session.id, startedAt);
    this.#bytes = 0;
    const recorder = new SessionRecorder(path, session, '', this.#parts);
    if (this.#previous) {
      const { session: previous, head } = this.#previous;
      try {
        this.#append(recorder, { name: 'journal.continued', previous, head });
      } catch (error) {
        // A journal that does not say what it continues would look like one put in.
        void recorder.abandon();
        throw error;
      }
    }
    return recorder;
  }

  #retire(recorder: SessionRecorder, reason: 'gateway_stopped' | 'recording_failed'): void {
    this.#current = undefined;
    this.#closed.push(recorder.close(reason));
    this.#previous = { session: recorder.session, head: recorder.finished?.head ?? '' };
  }
}

function journalSession(startedAt: number): SessionInfo {
  const time = new Date(startedAt).toISOString().replace(/[-:.]/g, '');
  return {
    id: `${journalPrefix}${time}-${randomBytes(10).toString('hex')}`,
    principal: {
      kind: 'service',
      id: 'sluice#gateway',
      issuer: 'sluice',
      subject: 'gateway',
      displayName: 'The gateway itself',
      groups: [],
      chain: [],
      expiresAt: 0,
    },
    target: { name: 'gateway', connector: 'gateway', tags: [] },
    client: { address: 'local', secure: true },
    startedAt,
  };
}
