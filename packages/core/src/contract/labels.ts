import type { Json } from '../domain/json.ts';

/** Which labels the operator's configuration puts on data. */
export interface LabelMap {
  /** Labels of one leaf (`['public', 'customers', 'email']` on target `shop`), sorted; empty for none. */
  of(target: string, path: readonly string[]): readonly string[];
  /** Every label that could apply anywhere on the target, sorted. */
  all(target: string): readonly string[];
}

/** What kind of value a cell holds, so that a mask stays valid for its declared type. */
export type CellShape =
  | { readonly kind: 'text'; readonly maxLength?: number }
  | { readonly kind: 'json' }
  | { readonly kind: 'uuid' }
  | { readonly kind: 'other' };

export interface CellMasker {
  /**
   * The masked text form of `value`, valid for `shape`; null where no valid mask exists. With several labels the most
   * hiding strategy wins. Throws when it cannot decide; the caller then refuses the whole answer.
   */
  mask(labels: readonly string[], shape: CellShape, value: string): string | null;
  /**
   * The mask for a value that was computed from labelled ones, and for a null in its place: the same whatever the value
   * is. With `mask`, what a strategy shows of a value (a letter, which values are equal) would be shown of whatever the
   * client made of it, and so of any part it likes.
   */
  hide(labels: readonly string[], shape: CellShape): string | null;
  /** What `mask` gives for every value, where it is the same for all; undefined where it depends on the value. */
  readonly constant?: (labels: readonly string[], shape: CellShape) => string | null | undefined;
  /** What `mask` gives for values like most others, without a text being made of them; undefined where there is no such way. */
  readonly plain?: (labels: readonly string[], shape: CellShape) => PlainMask | undefined;
  /**
   * A value that bears no label, with what gives itself away by its look masked: the same string where there is nothing
   * to hide, null where no valid mask exists. Absent where nothing is looked for.
   */
  readonly look?: (shape: CellShape, value: string) => string | null;
}

/**
 * Masks a value from bytes to bytes, both in UTF-8: the value lies in `from` between `start` and `end`, what `mask` would
 * give for it goes into `into` from `at` on, where `longest` bytes have room; returns where it ends. It is not empty, and
 * all of it is ASCII letters and digits and `#*@.`. -1 for a value that `mask` has to be asked about: what was written
 * then counts for nothing, and nothing is said about the value.
 */
export interface PlainMask {
  readonly longest: number;
  write(from: Uint8Array, start: number, end: number, into: Uint8Array, at: number): number;
}

/** Something with what must not be shown of it masked. */
export interface Masked<T> {
  readonly value: T;
  /** Labels that were found, by place or by look, shown or not; sorted. */
  readonly labels: readonly string[];
  /** Whether any of it was hidden. */
  readonly masked: boolean;
}

/**
 * Masks one stream of bytes, in one direction, by the look of what is in it. However the stream is split, the masked
 * stream is the same: bytes are held back, for a bounded length, while what they could be depends on the ones that
 * follow.
 */
export interface StreamMasker {
  /** What may be shown by now. */
  push(bytes: Uint8Array): Uint8Array;
  /**
   * Nothing has come for a moment (some 20 ms) and a person waits for a prompt: lets out what is not yet telling. Never
   * call it where nobody waits, as in a body or in the output of a command.
   */
  idle(): Uint8Array;
  /** The stream is over: lets out the rest. */
  end(): Uint8Array;
  /** Labels of the values found so far, shown or not; sorted. */
  readonly labels: readonly string[];
  readonly masked: boolean;
}

/** Masks for what has no columns. Whether a label is hidden is asked per value, so that a changed policy counts at once. */
export interface TextMaskers {
  /** One text, whole. Throws when it cannot decide; the caller then refuses the whole answer. */
  text(text: string): Masked<string>;
  /**
   * A parsed document. `labelsAt` says which labels stand at a path (names of members, `[]` for an element of an array);
   * they hold for all below. Throws like `text`.
   */
  json(value: Json, labelsAt: (path: readonly string[]) => readonly string[]): Masked<Json>;
  /**
   * Like `json`, for a document as it is written: what is not masked stays as it is to the letter, so that numbers of
   * any size, the order of members and white space survive. Throws also for a text that is not JSON (RFC 8259).
   */
  jsonText(text: string, labelsAt: (path: readonly string[]) => readonly string[]): Masked<string>;
  stream(): StreamMasker;
}
