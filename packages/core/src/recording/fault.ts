import type { DamageReason } from './frame-reader.ts';

/** Every way in which a recording can fail verification. */
export type FaultCode =
  /** Bytes that are no intact event, by what is wrong with them. */
  | DamageReason
  /** The file cannot be read at all. */
  | 'unreadable'
  /** The body is not what its type says. */
  | 'content'
  | 'version'
  /** Does not follow the event before it. */
  | 'chain'
  /** The same event a second time. */
  | 'duplicate'
  /** Follows an earlier event, not the one before it. */
  | 'reordered'
  /** Time runs backwards. */
  | 'time'
  | 'header_missing'
  | 'header_twice'
  | 'end_missing'
  /** An event after the end. */
  | 'after_end'
  | 'seal_missing'
  /** Sealed with a key that is not among the trusted ones. */
  | 'foreign_key'
  | 'signature'
  /** The seal speaks of another number of events. */
  | 'seal_count'
  /** There is a seal, and what it would be checked against is missing. */
  | 'seal_unchecked'
  /** Something behind the seal. */
  | 'trailing'
  /** The session id in the file is not the one that was asked for, or that the file is named after. */
  | 'name'
  /** The totals of a result are not those of its rows. */
  | 'totals';

export interface Fault {
  readonly code: FaultCode;
  /** Byte offset in the file. */
  readonly offset: number;
  /** Number of the event, counted from 0 over what the file holds; absent for faults of the file as a whole. */
  readonly event?: number;
  /** For people: what is wrong there. */
  readonly message: string;
}

/** Faults beyond this many are counted, not kept: a file of nothing but damage must not fill the memory. */
export const keptFaults = 1000;
