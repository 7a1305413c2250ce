import type { AccessClass } from './action.ts';
import type { DryRun, Effect, Obligation, Reason } from './decision.ts';
import type { PrincipalRef } from './principal.ts';
import type { RunContext } from './run.ts';

/** A column as the client was told of it. */
export interface RecordedColumn {
  readonly name: string;
  /** The protocol's own type name. */
  readonly type: string;
  readonly format: 'text' | 'binary';
  /** Labels under which the cells of this column were masked; absent when they came through in clear. */
  readonly masked?: readonly string[];
}

/** All that came out of one stream of a unit, kept or not. */
export interface RecordedStream {
  readonly stream: string;
  readonly bytes: number;
  /** SHA-256 of its bytes, lower-case hex: what `sha256sum` says of them. */
  readonly digest: string;
}

export interface RecordedAction {
  readonly verb: string;
  readonly access: AccessClass;
  readonly resources: readonly string[];
}

/** What an action event says beside its unit and its words: the same for statements of one kind decided the same way. */
export interface ActionFacts {
  readonly name: string;
  readonly actions: readonly RecordedAction[];
  readonly effect: Effect;
  readonly policies: readonly string[];
  readonly reasons: readonly Reason[];
  readonly obligations: readonly Obligation[];
  readonly dryRun: readonly DryRun[];
  readonly policyHash: string;
  readonly labels: readonly string[];
  readonly run?: RunContext;
}

export interface Spent {
  readonly parse?: number;
  readonly decide: number;
}

/** What is written about a session, in order. Every event also carries the time it was appended. */
export type RecordingEvent =
  /** The intent and the decision; written before the unit takes effect. */
  | ({
      readonly type: 'action';
      /** Number of the unit in the session; later events about it carry the same number. */
      readonly unit: number;
      /** Of its actions, as the client wrote them. */
      readonly text: readonly string[];
      readonly parameters: readonly (string | null)[];
      /** Unit whose content this one carries out. */
      readonly continues?: number;
      readonly request?: string;
      /** What the gateway spent on it until it was decided, in microseconds. */
      readonly spent?: Spent;
    } & ActionFacts)
  /** A step in the life of an access request that this session waits for. */
  | {
      readonly type: 'approval';
      readonly unit: number;
      readonly request: string;
      readonly state: string;
      readonly digest: string;
      readonly reviewers: readonly PrincipalRef[];
      readonly comment?: string;
    }
  | { readonly type: 'shape'; readonly unit: number; readonly columns: readonly RecordedColumn[] }
  /**
   * Rows as the client saw them. `cells` is a run of rows, each: u16 column count, then per cell an i32 length
   * (-1 for null) and that many bytes; big-endian.
   */
  | { readonly type: 'rows'; readonly count: number; readonly cells: Uint8Array }
  /**
   * The cap per result was reached: from here on rows, or what comes out of this stream of the unit, are counted and
   * digested, not kept. Made by the recorder; `unit` and `stream` are there when it is about `output` events.
   */
  | {
      readonly type: 'capped';
      readonly afterRows: number;
      readonly afterBytes: number;
      readonly unit?: number;
      readonly stream?: string;
    }
  /**
   * A result is complete: counts over all its rows, and the SHA-256 (hex) of all row bytes. For a unit with output:
   * `bytes` over all its streams; `digest` is its stream's, or with several streams the SHA-256 of their digests (32
   * bytes each) in the order of `streams`. The recorder counts and digests; what is given for `rows`, `bytes`, `digest`
   * and `streams` does not matter.
   */
  | {
      readonly type: 'complete';
      readonly unit: number;
      readonly tag: string;
      readonly rows: number;
      readonly bytes: number;
      readonly digest: string;
      readonly streams?: readonly RecordedStream[];
      /** The unit's output did not come to its end. */
      readonly unfinished?: true;
      /** Microseconds that masking its rows took, their copies for the recording included; absent where none was masked. */
      readonly masking?: number;
    }
  | {
      readonly type: 'notice';
      readonly unit?: number;
      readonly severity: string;
      readonly code: string;
      readonly message: string;
    }
  | {
      readonly type: 'error';
      readonly unit?: number;
      readonly code: string;
      readonly message: string;
      readonly source: string;
    }
  /** Content that the client sent for a unit, behind it (the rows of a COPY); written before it goes to the target. */
  | { readonly type: 'input'; readonly unit: number; readonly data: Uint8Array }
  /**
   * What came out of a unit, as the client saw it: the body of a response, what a command printed. `stream` is the
   * protocol's name of it: `stdout`, `stderr`, `body`; 1 to 64 printable ASCII characters, at most 8 streams in a unit.
   * Each stream is capped like a result; a `complete` for the unit ends all of them, and several units may have output
   * at the same time.
   */
  | { readonly type: 'output'; readonly unit: number; readonly stream: string; readonly data: Uint8Array }
  /** Bytes between a terminal and its user, on behalf of the unit that opened it. */
  | {
      readonly type: 'terminal';
      readonly unit: number;
      readonly direction: 'input' | 'output';
      readonly data: Uint8Array;
    }
  | { readonly type: 'resize'; readonly unit: number; readonly columns: number; readonly rows: number }
  /** Anything else worth proof: a limit met, a setting changed, a credential issued. Never secrets. */
  | {
      readonly type: 'event';
      readonly name: string;
      readonly detail: Readonly<Record<string, string | number | boolean>>;
    };
