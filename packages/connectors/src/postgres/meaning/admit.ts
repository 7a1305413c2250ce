import type { NodeKind } from './ast.ts';
import { MeaningError } from './error.ts';
import { statementKinds } from './kinds.ts';

/**
 * First look at a parse tree: every node must be of a kind that is known here, or the statement is refused. It also
 * lists the nodes that matter (names, calls, queries), so that it can be checked afterwards that the second, understanding
 * look has seen each of them. It understands nothing itself.
 */
export interface Admitted {
  /** Bodies of nodes that the understanding look must visit. */
  readonly unseen: Set<object>;
  /** server_version_num from which on a server reads the text like this; an older one reads something else. */
  readonly since: number;
}

/** What the grammar makes of expressions and clauses. Nodes that only the analyser makes (Var, OpExpr, …) are not here. */
const parts: readonly NodeKind[] = [
  'Integer',
  'Float',
  'Boolean',
  'String',
  'BitString',
  'List',
  'A_Const',
  'RangeVar',
  'NamedArgExpr',
  'BoolExpr',
  'SubLink',
  'CaseExpr',
  'CaseWhen',
  'RowExpr',
  'CoalesceExpr',
  'MinMaxExpr',
  'SQLValueFunction',
  'XmlExpr',
  'NullTest',
  'BooleanTest',
  'SetToDefault',
  'CurrentOfExpr',
  'JoinExpr',
  'TypeName',
  'ColumnRef',
  'ParamRef',
  'A_Expr',
  'TypeCast',
  'CollateClause',
  'RoleSpec',
  'FuncCall',
  'A_Star',
  'A_Indices',
  'A_Indirection',
  'A_ArrayExpr',
  'ResTarget',
  'MultiAssignRef',
  'SortBy',
  'WindowDef',
  'RangeSubselect',
  'RangeFunction',
  'RangeTableFunc',
  'RangeTableFuncCol',
  'RangeTableSample',
  'ColumnDef',
  'TableLikeClause',
  'IndexElem',
  'DefElem',
  'LockingClause',
  'XmlSerialize',
  'PartitionElem',
  'PartitionRangeDatum',
  'PartitionBoundSpec',
  'PartitionCmd',
  'GroupingSet',
  'GroupingFunc',
  'CommonTableExpr',
  'MergeWhenClause',
  'MergeSupportFunc',
  'ReturningOption',
  'TriggerTransition',
  'JsonValueExpr',
  'JsonFormat',
  'JsonArgument',
  'JsonFuncExpr',
  'JsonTablePathSpec',
  'JsonTable',
  'JsonTableColumn',
  'JsonKeyValue',
  'JsonParseExpr',
  'JsonScalarExpr',
  'JsonSerializeExpr',
  'JsonObjectConstructor',
  'JsonArrayConstructor',
  'JsonArrayQueryConstructor',
  'JsonObjectAgg',
  'JsonArrayAgg',
  'JsonIsPredicate',
  'JsonOutput',
  'JsonBehavior',
  'ReplicaIdentityStmt',
  'AlterTableCmd',
  'ATAlterConstraint',
  'Constraint',
  'ObjectWithArgs',
  'AccessPriv',
  'FunctionParameter',
  'CreateOpClassItem',
  'StatsElem',
  'VacuumRelation',
  'PublicationObjSpec',
  'PublicationTable',
  'ReturnStmt',
];

const admitted: ReadonlySet<string> = new Set<string>([...parts, ...statementKinds]);

/** Kinds whose nodes the understanding look must have visited, or it has missed something. */
const mustBeSeen: ReadonlySet<string> = new Set([
  'RangeVar',
  'SubLink',
  'ColumnRef',
  'FuncCall',
  'A_Expr',
  'SelectStmt',
  'InsertStmt',
  'UpdateStmt',
  'DeleteStmt',
  'MergeStmt',
  'CommonTableExpr',
  'RangeFunction',
  'RangeTableFunc',
  'JsonTable',
  'LockingClause',
  'TypeCast',
]);

/**
 * What older servers read as calls of functions that somebody may have made, or do not read at all (release notes of
 * PostgreSQL 16, 17 and 18).
 */
const addedIn: { readonly [K in NodeKind]?: number } = {
  JsonObjectConstructor: 160_000,
  JsonArrayConstructor: 160_000,
  JsonArrayQueryConstructor: 160_000,
  JsonObjectAgg: 160_000,
  JsonArrayAgg: 160_000,
  JsonIsPredicate: 160_000,
  JsonParseExpr: 170_000,
  JsonScalarExpr: 170_000,
  JsonSerializeExpr: 170_000,
  JsonFuncExpr: 170_000,
  JsonTable: 170_000,
  MergeSupportFunc: 170_000,
  ReturningOption: 180_000,
};

/** Deeper than the token count of the guard allows cannot happen; it is checked all the same. */
const maxDepth = 20_000;

export function admit(root: object): Admitted {
  const unseen = new Set<object>();
  const waiting: unknown[] = [root];
  let depth = 0;
  let since = 0;
  for (let value = waiting.pop(); value !== undefined; value = waiting.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    if (Array.isArray(value)) {
      for (const item of value) waiting.push(item);
      continue;
    }
    depth += 1;
    if (depth > maxDepth * 50) throw new MeaningError('too_complex', 'the statement has too many parts');
    const body = value as Readonly<Record<string, unknown>>;
    for (const key in body) {
      const child = body[key];
      if (isKind(key)) {
        if (!admitted.has(key)) {
          throw new MeaningError('unsupported', `the gateway does not understand ${key} in a statement and refuses it`);
        }
        since = Math.max(since, addedIn[key as NodeKind] ?? 0);
        if (mustBeSeen.has(key) && typeof child === 'object' && child !== null) unseen.add(child);
      }
      if (typeof child === 'object') waiting.push(child);
    }
    // Some nodes lie in a typed field and so have no kind around them; their own fields tell them.
    if (typeof body['relname'] === 'string' || 'limitOption' in body) unseen.add(body);
  }
  return { unseen, since };
}

function isKind(key: string): boolean {
  const code = key.charCodeAt(0);
  return code >= 65 && code <= 90;
}
