import { type Labels, noLabels } from '../../sql/label-set.ts';
import type { Relation } from '../catalog/catalog.ts';
import type { Body, Node, NodeKind } from './ast.ts';
import type { Names } from './names.ts';
import type { Scope, ScopeColumn, Source } from './scope.ts';
import type { CopyMeaning, MeaningContext, StatementMeaning } from './statement.ts';
import type { Tally } from './tally.ts';

/** What the parts of the understanding look hand each other. Types and their trivial values only. */

/** pg_type.oid of the types that literals and operators need (pg_type.dat). */
export const typeOid = {
  unknownYet: 0,
  boolean: 16,
  name: 19,
  text: 25,
  integer: 23,
  bigint: 20,
  json: 114,
  literal: 705,
  char: 1042,
  date: 1082,
  varchar: 1043,
  numeric: 1700,
  record: 2249,
  jsonb: 3802,
} as const;

/** What an expression gives. */
export interface Value {
  readonly labels: Labels;
  /** Made of what the client sent, and nothing that is stored. */
  readonly constant: boolean;
  readonly type: number;
  /** A column and nothing else. */
  readonly column?: ScopeColumn;
  /** Nothing but a stored value, or something the client sent in place of it: nothing was computed from it. */
  readonly whole?: true;
  /** A test whose use as a filter was already judged where it stands. */
  readonly judged?: true;
  /** The fields of a row written out. */
  readonly fields?: readonly Value[];
  /** A row whose columns are not all known: `(f()).*`, a whole source. */
  readonly row?: Source;
}

export const nothing: Value = { labels: noLabels, constant: true, type: typeOid.literal };

export function isComputed(value: Value): boolean {
  return value.labels.length > 0 && value.whole !== true;
}

export type ValueRules = { readonly [K in NodeKind]?: (body: Body<K>, env: Env) => Value };

export interface OutputColumn extends ScopeColumn {}

/** What a query gives. */
export interface Output {
  readonly columns: readonly OutputColumn[];
  /** Further columns that are not known, with what they may carry. */
  readonly open?: Labels;
}

export const noOutput: Output = { columns: [] };

export interface Cte {
  readonly body: Body<'CommonTableExpr'>;
  output: Output | undefined;
  computing: boolean;
  readonly evaluate: () => Output;
}

export interface CteScope {
  readonly ctes: ReadonlyMap<string, Cte>;
  readonly parent: CteScope | undefined;
}

/** What lies behind a view, or in a statement that another carries. */
export interface Behind {
  readonly relations: readonly Relation[];
  /** Those that the definition itself names. */
  readonly named: readonly Relation[];
  readonly functions: readonly { readonly schema: string; readonly name: string }[];
}

/** The parts call each other through this, so that none imports all others. */
export interface Rules {
  value(node: Node, env: Env): Value;
  /** A condition that filters rows; what names it in people's words (`WHERE`, `JOIN`). */
  filter(node: Node | undefined, env: Env, where: string): void;
  call(body: Body<'FuncCall'>, env: Env): CallResult;
  /** SELECT, or a data-modifying statement inside another. */
  query(node: Node, env: Env): Output;
  select(body: Body<'SelectStmt'>, env: Env): Output;
  /** A whole statement that another one carries (EXPLAIN, PREPARE, DECLARE, COPY, CREATE TABLE AS). */
  nested(node: Node, env: Env): StatementResult;
  /** The same on a tally of its own: the meaning as if it had been sent by itself. */
  alone(node: Node, text: string, env: Env): StatementMeaning;
  /** Counts a relation as read, with all that lies behind it. */
  read(relation: Relation, env: Env): void;
  /** Counts what lies behind a relation that is written or locked, and says what that is. */
  behind(relation: Relation, env: Env): readonly Relation[];
}

/** What a statement's rule found, besides what is in the tally. */
export interface StatementResult {
  /** Undefined when it gives no rows. */
  readonly output?: Output | undefined;
  /** When the node's own name does not tell. */
  readonly kind?: string;
  /** Of columns without provenance, where the output alone does not tell. */
  readonly expressionLabels?: Labels;
  readonly copy?: CopyMeaning;
  /** What is shown for the statement where its own text does not say what runs. */
  readonly text?: string;
}

export interface CallResult {
  readonly value: Value;
  /** Labels of the arguments. */
  readonly given: Labels;
  /** Columns when it stands in FROM; undefined when only the server knows them. */
  readonly columns: readonly { readonly name: string; readonly type: number }[] | undefined;
  readonly name: string;
}

export interface Env {
  readonly ctx: MeaningContext;
  readonly names: Names;
  readonly tally: Tally;
  readonly rules: Rules;
  readonly scope: Scope | undefined;
  readonly ctes: CteScope | undefined;
  /** Nodes that still have to be looked at. */
  readonly unseen: Set<object>;
  /** The statement's own text. */
  readonly text: string;
  /** Steps left; some constructs are looked at more than once, and nesting must not multiply that without end. */
  readonly budget: { steps: number };
}

export function withScope(env: Env, scope: Scope | undefined): Env {
  return { ...env, scope };
}

export function allLabels(env: Env): Labels {
  return env.ctx.labels.all(env.ctx.target);
}
