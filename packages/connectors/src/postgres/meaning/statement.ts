import type { LabelMap } from '@sluice/core/contract/labels.ts';
import type { Action } from '@sluice/core/domain/action.ts';
import type { Exposure } from '@sluice/core/domain/unit.ts';
import type { Catalog, Relation } from '../catalog/catalog.ts';

/**
 * What one SQL statement means, as nouns: what it does, to what, which labels its answer may carry, and what it changes
 * for the statements after it. Types only; `interpret.ts` finds the meaning out.
 */
export interface StatementMeaning {
  /** Lower snake: `select`, `insert`, `create_table`, `explain`, … */
  readonly kind: string;
  /** The statement's own slice of the text it came in, without surrounding blanks and without the semicolon. */
  readonly text: string;
  /** Never empty. */
  readonly actions: readonly Action[];
  /** Every label of anything the statement touches, sorted. */
  readonly labels: readonly string[];
  /** Labels that each result column without provenance (table OID 0 in RowDescription) must be taken to carry. */
  readonly expressionLabels: readonly string[];
  readonly exposures: readonly Exposure[];
  /** The server's error and notice texts may carry labelled values. */
  readonly scrubErrors: boolean;
  readonly returnsRows: boolean;
  readonly effects: readonly SessionEffect[];
  readonly copy?: CopyMeaning;
  /** Of the parse tree without its constants; parses the statement again, so only for whom it is worth that. */
  readonly fingerprint: () => string;
  /** OIDs of the relations touched, also through views; sorted. Feed them to `catalog.schemaDigest`. */
  readonly relations: readonly number[];
  readonly schemaDigest: string;
  /** Of an earlier text that differs in the values of its literals only: the same but for what repeats the text. */
  readonly model?: StatementMeaning;
}

/** What a statement changes for later ones in its session, once the server says it is complete. */
export type SessionEffect =
  /** The effective search path may be another one: read it again before the next statement is interpreted. */
  | { readonly kind: 'search_path' }
  /** `name` is undefined when only the server knows (RESET, SET LOCAL in an aborted block, DISCARD). */
  | { readonly kind: 'role'; readonly name: string | undefined }
  | { readonly kind: 'session_authorization'; readonly name: string | undefined }
  | { readonly kind: 'setting'; readonly name: string }
  | { readonly kind: 'begin' | 'commit' | 'rollback'; readonly chain: boolean }
  | { readonly kind: 'savepoint' | 'release' | 'rollback_to'; readonly name: string }
  | { readonly kind: 'prepare_transaction' | 'commit_prepared' | 'rollback_prepared' }
  /** `source` is the prepared query's own text, to be understood again when it is executed; `query` its meaning now. */
  | { readonly kind: 'prepare'; readonly name: string; readonly source: string; readonly query: StatementMeaning }
  | { readonly kind: 'deallocate'; readonly name: string | 'all' }
  | { readonly kind: 'declare_cursor'; readonly name: string; readonly hold: boolean; readonly query: StatementMeaning }
  | { readonly kind: 'close_cursor'; readonly name: string | 'all' }
  | { readonly kind: 'discard'; readonly what: 'all' | 'plans' | 'sequences' | 'temp' }
  /** The catalog is stale once this is committed. */
  | { readonly kind: 'ddl' }
  /** Names that differ from the catalog until then; give them to `applyOverlay`. */
  | { readonly kind: 'overlay'; readonly change: OverlayChange }
  | { readonly kind: 'listen' | 'unlisten'; readonly channel: string | 'all' };

/** What an open transaction (or, for temporary tables, a session) knows that the catalog's connection cannot see. */
export type OverlayChange =
  | { readonly kind: 'relation'; readonly relation: Relation }
  | { readonly kind: 'gone'; readonly schema: string; readonly name: string }
  /** Altered in ways not followed: any column, any label. */
  | { readonly kind: 'unknown'; readonly schema: string; readonly name: string }
  /** New code or names: calls by this name are calls of something not seen into. */
  | { readonly kind: 'function'; readonly schema: string; readonly name: string }
  | { readonly kind: 'operator'; readonly schema: string; readonly name: string }
  | { readonly kind: 'type'; readonly schema: string; readonly name: string }
  | { readonly kind: 'schema'; readonly name: string }
  /** Anything at all may have been renamed, created or dropped: unqualified names mean nothing until the catalog is new. */
  | { readonly kind: 'everything' };

export interface CopyColumn {
  readonly name: string;
  readonly labels: readonly string[];
  /** As in the catalog; absent for the columns of a query, whose masks are then nulls. */
  readonly type?: number;
  readonly typmod?: number;
}

export interface CopyMeaning {
  readonly direction: 'to' | 'from';
  readonly endpoint: 'client' | 'file' | 'program';
  readonly format: 'text' | 'csv' | 'binary';
  /** In the order of the stream; labels by provenance or, for a query, of the output column. */
  readonly columns: readonly CopyColumn[];
  readonly delimiter: string;
  readonly nullText: string;
  readonly quote: string;
  readonly escape: string;
  readonly header: boolean;
}

/** A statement prepared under a name, by PREPARE or by a Parse message: both share one namespace. */
export interface PreparedSource {
  /** The query after PREPARE … AS, or the text of the Parse message. */
  readonly text: string;
}

/** Differences between the session's names and the catalog's; see `overlay.ts`. */
export interface Overlay {
  readonly changes: readonly OverlayChange[];
}

/** Everything outside the text that gives a statement its meaning. */
export interface MeaningContext {
  readonly target: string;
  readonly catalog: Catalog;
  readonly labels: LabelMap;
  /** As `current_schemas(true)` prints it: pg_temp_N and pg_catalog where they take part. */
  readonly searchPath: readonly string[];
  readonly role: string;
  readonly sessionUser: string;
  readonly database: string;
  readonly overlay: Overlay;
  prepared(name: string): PreparedSource | undefined;
  /** The meaning of the query behind an open cursor or portal. */
  cursor(name: string): StatementMeaning | undefined;
}
