/**
 * The names of one PostgreSQL database as they stood at one moment: schemas, relations, functions, operators, types. It
 * answers "what does this name mean" the way the server would; it never decides, never talks to a server (see
 * `cache.ts`), and never guesses: what it does not know is `undefined`, and the caller refuses.
 */
export interface Column {
  /** pg_attribute.attnum, counted from 1; dropped columns are left out. */
  readonly attnum: number;
  readonly name: string;
  readonly type: number;
  readonly typmod: number;
  /** The expression of a generated column, schema-qualified. */
  readonly generated?: string;
}

export type RelationKind =
  | 'table'
  | 'partitioned_table'
  | 'view'
  | 'materialized_view'
  | 'foreign_table'
  | 'sequence'
  | 'composite_type'
  | 'index'
  | 'toast';

export interface Relation {
  /** pg_class.oid; negative for what an open transaction created and the catalog does not show yet. */
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: RelationKind;
  readonly persistence: 'permanent' | 'unlogged' | 'temporary';
  readonly columns: readonly Column[];
  /** Direct parents by inheritance or partitioning (pg_inherits). */
  readonly parents: readonly number[];
  /** The query of a view or materialised view, with every name outside pg_catalog schema-qualified. */
  readonly definition?: string;
  /** A view whose underlying relations are checked against the reader (`security_invoker`). */
  readonly securityInvoker: boolean;
  /** Rewrite rules other than a view's own: a write may then do something else than it says. */
  readonly hasRules: boolean;
  /** Created by initdb. */
  readonly system: boolean;
  /** Set when the columns are not known (altered in the open transaction); any name may be one of them. */
  readonly open?: true;
  /** Labels by column position, for relations that exist only in an open transaction. */
  readonly overlayLabels?: readonly (readonly string[])[];
}

export type Volatility = 'immutable' | 'stable' | 'volatile';

export interface CatalogFunction {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: 'function' | 'procedure' | 'aggregate' | 'window';
  readonly volatility: Volatility;
  readonly language: string;
  readonly securityDefiner: boolean;
  readonly returnsSet: boolean;
  readonly returnType: number;
  /** Types of the input arguments. */
  readonly args: readonly number[];
  readonly defaults: number;
  readonly variadic: boolean;
  /** The OUT, INOUT and TABLE columns, in order; empty when there are none. */
  readonly outputs: readonly { readonly name: string; readonly type: number }[];
  /** Made by initdb and part of the server itself. */
  readonly builtIn: boolean;
  readonly extension?: string;
}

export interface CatalogOperator {
  readonly schema: string;
  readonly name: string;
  readonly left: number;
  readonly right: number;
  /** The function behind it (pg_operator.oprcode). */
  readonly procedure: number;
  readonly builtIn: boolean;
}

export interface CatalogType {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: 'base' | 'composite' | 'domain' | 'enum' | 'pseudo' | 'range' | 'multirange';
  /** The base type of a domain, the element type of an array; 0 for none. */
  readonly base: number;
  readonly element: number;
  /** pg_class.oid of a composite type's columns; 0 for none. */
  readonly relation: number;
  readonly builtIn: boolean;
  /** Functions that are not the server's own and that a domain's checks call (pg_proc.oid). */
  readonly checkedBy?: readonly number[];
}

export interface CatalogCast {
  readonly source: number;
  readonly target: number;
  /** 0 for a cast that needs no function. */
  readonly procedure: number;
  /** Applied without being asked for. */
  readonly implicit: boolean;
  readonly builtIn: boolean;
}

/** One refresh's worth of names. Immutable. */
export interface Catalog {
  readonly target: string;
  /** Increases with every refresh that found anything at all. */
  readonly epoch: number;
  /** server_version_num, e.g. 150006. */
  readonly serverVersion: number;
  /** Changes when a schema comes, goes or is renamed, or who may use it: a search path may then mean something else. */
  readonly schemaState: string;
  hasSchema(name: string): boolean;
  /** Every relation there is, in no order. */
  relations(): Iterable<Relation>;
  relation(schema: string, name: string): Relation | undefined;
  relationByOid(oid: number): Relation | undefined;
  /** Everything that a row of this relation may also come from: partitions and inheritance children, at any depth. */
  descendants(oid: number): readonly Relation[];
  functions(schema: string, name: string): readonly CatalogFunction[];
  functionByOid(oid: number): CatalogFunction | undefined;
  /** Operators that are not the server's own. */
  userOperators(name: string): readonly CatalogOperator[];
  type(schema: string, name: string): CatalogType | undefined;
  typeByOid(oid: number): CatalogType | undefined;
  /** Casts that are not the server's own. */
  userCasts(): readonly CatalogCast[];
  /** Whether a value of one type is taken for another without being asked. */
  castsImplicitly(source: number, target: number): boolean;
  /**
   * Labels of one column: the operator's, those of partition and inheritance parents and children, and those that a
   * view or a generated column takes over from its definition. `attnum` 0 is the whole row. Undefined when the relation
   * or the column is not known: refresh once, then treat the value as carrying every label of the target.
   */
  columnLabels(relation: number, attnum: number): readonly string[] | undefined;
  /** Whether a labelled column is made of labelled values (by a view, a generated column) instead of being one. */
  columnComputed(relation: number, attnum: number): boolean;
  /** Every label of any column of the relation, sorted. */
  relationLabels(relation: Relation): readonly string[];
  /** SHA-256 in hex over the definitions of these relations; the same for the same schema whatever the order. */
  schemaDigest(relations: readonly number[]): string;
}

/**
 * Runs one simple query on the target's catalog connection and gives its rows as text. Rejects on any error.
 * The connection must belong to the same database as the sessions.
 */
export type QueryRunner = (sql: string) => Promise<readonly (readonly (string | null)[])[]>;
