import type { Fault } from '@sluice/core/recording/fault.ts';
import type { JournalFault } from './journal-check.ts';

/** `open`: without a seal and still with reserved space behind its data, so being written or left by a crash. */
export type Standing = 'sealed' | 'recovered' | 'open' | 'faulty';

export interface FileReport {
  readonly path: string;
  readonly standing: Standing;
  /** Absent when the header could not be read. */
  readonly session?: string;
  readonly principal?: string;
  readonly target?: string;
  /** ISO 8601. */
  readonly startedAt?: string;
  readonly endReason?: string;
  readonly events: number;
  /** Units whose output did not come to its end, because the session or the gateway ended first. */
  readonly unfinished: number;
  /** Identity of the recording, lower-case hex. */
  readonly head: string;
  /** Key that sealed it. */
  readonly keyId?: string;
  readonly faults: readonly Fault[];
  /** Faults beyond those listed. */
  readonly moreFaults: number;
}

export interface VerifyReport {
  /** No fault anywhere. A single file must also be sealed; in a directory open recordings are only counted. */
  readonly ok: boolean;
  readonly path: string;
  /** The file of public keys that was trusted. */
  readonly keys: string;
  readonly files: readonly FileReport[];
  /** What the gateway's journal says otherwise; only for a whole data directory. */
  readonly journal: readonly JournalFault[];
  /** Whether the journal was compared with the files. */
  readonly compared: boolean;
  readonly counts: Readonly<Record<Standing, number>>;
}
