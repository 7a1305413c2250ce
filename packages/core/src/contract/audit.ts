import type { AuditEvent } from '../domain/audit-event.ts';

/** Where facts about the gateway go. */
export interface AuditSink {
  /**
   * Hands the fact to the operating system before it returns. Throws `CoreError('recording_failed')` when it can't:
   * what was to be witnessed must then not happen.
   */
  record(event: AuditEvent): void;
}
