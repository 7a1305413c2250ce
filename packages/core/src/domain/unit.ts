import type { Action } from './action.ts';
import type { RunContext } from './run.ts';

/**
 * Reading a labelled value in this way would give it away even when the value itself comes back masked
 * (a predicate on it, an order by it, a copy of it elsewhere). Refused unless every label may be revealed.
 */
export interface Exposure {
  readonly labels: readonly string[];
  /** For people: what the statement does and with what; no values. */
  readonly reason: string;
}

/** Smallest forwardable group of frames, with the bytes exactly as the client sent them. */
export interface Unit {
  /** The protocol's name of it: `Query`, `Bind`, `exec`, `tools/call`. */
  readonly name: string;
  readonly bytes: readonly Uint8Array[];
  /**
   * Empty only for protocol control that has no effect of its own (a flush, a sync, closing a statement); such a
   * unit stands on the session's `connect` decision.
   */
  readonly actions: readonly Action[];
  /** Labels of the data that the answer may carry. */
  readonly labels: readonly string[];
  readonly exposures: readonly Exposure[];
  /** Parameter values in readable form, `null` for a null; empty when the unit has none. */
  readonly parameters: readonly (string | null)[];
  /**
   * Everything besides actions and parameters that gives the unit its meaning (search_path, role, schema digest, …).
   * An approval binds to all of it.
   */
  readonly binding: Readonly<Record<string, string>>;
  /** What belongs into `binding` as well, and is worked out only where an approval is asked for or used. */
  readonly moreBinding?: () => Readonly<Record<string, string>>;
  /**
   * Content that belongs to the unit it `continues` (rows of a COPY). It is kept in the recording, and it may not hold
   * masked values; `before` is the end of the content sent before it, in case one lies across both. `terminal`: it was
   * typed at a terminal, and is kept as that.
   */
  readonly content?: { readonly data: Uint8Array; readonly before: Uint8Array; readonly terminal?: true };
  /**
   * Reads the same bytes again against the state of now (catalog, role, path). An approval is used only when the
   * result still has the digest that was approved. Absent when nothing outside the unit gives it meaning.
   */
  readonly renew?: () => Promise<Unit>;
  /** Microseconds that it took to find out what the bytes mean. */
  readonly parsing?: number;
  /** What the client claims about the reasoning that led here. */
  readonly run?: RunContext;
  /**
   * Set when this unit only carries out what an earlier one already asked, word for word (executing a bound portal).
   * It is judged again in full, but may collect the grant that the earlier unit holds.
   */
  readonly continues?: UnitHandle;
}

/** Opaque name of an earlier unit of the same session; handed out by the pipeline with its outcome. */
export interface UnitHandle {
  readonly seq: number;
}
