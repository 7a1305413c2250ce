import type { SqlVerb } from '../../sql/verbs.ts';
import { type Node, objectsBelow, type RangeVar } from './ast.ts';
import { type Env, withScope } from './env.ts';
import { resourceOf } from './objects.ts';
import { type Source, scopeOf } from './scope.ts';

/**
 * Looks through the parts of a definition: defaults, checks, generated columns, index expressions, referenced tables.
 * Each expression is valued, each relation counts as acted on by the definition's verb.
 */
const expressions: ReadonlySet<string> = new Set([
  'FuncCall',
  'A_Expr',
  'BoolExpr',
  'ColumnRef',
  'SubLink',
  'TypeCast',
  'CaseExpr',
  'CoalesceExpr',
  'MinMaxExpr',
  'NullTest',
  'BooleanTest',
  'A_Indirection',
  'A_ArrayExpr',
  'RowExpr',
  'CollateClause',
  'XmlExpr',
  'XmlSerialize',
  'JsonObjectConstructor',
  'JsonArrayConstructor',
  'JsonFuncExpr',
  'JsonIsPredicate',
  'JsonParseExpr',
  'JsonScalarExpr',
  'JsonSerializeExpr',
]);

export interface Sweep {
  readonly verb: SqlVerb;
  /** What the expressions may name; undefined for none. */
  readonly sources: readonly Source[];
  /** What is done, for an exposure. */
  readonly reason: string;
}

export function sweep(root: unknown, how: Sweep, outer: Env): void {
  const env = withScope(
    outer,
    scopeOf(
      how.sources,
      how.sources.flatMap((source) => source.columns),
      undefined,
    ),
  );
  const waiting: unknown[] = [root];
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (typeof value !== 'object' || value === null) continue;
    if (Array.isArray(value)) {
      waiting.push(...value);
      continue;
    }
    if ('relname' in value && typeof value.relname === 'string') {
      mentioned(value as RangeVar, how.verb, env);
      continue;
    }
    const [kind] = Object.keys(value);
    if (kind !== undefined && expressions.has(kind)) {
      env.tally.expose(env.rules.value(value as Node, env).labels, how.reason);
      continue;
    }
    for (const [key, child] of Object.entries(value)) {
      // Types are names of types, not of relations or functions.
      if (key !== 'TypeName' && key !== 'typeName') waiting.push(child);
    }
  }
}

function mentioned(range: RangeVar, verb: SqlVerb, env: Env): void {
  env.unseen.delete(range);
  const relation = env.names.relation(range);
  env.tally.touch(relation);
  env.tally.act(verb, resourceOf(relation, env));
}

/** Marks all of a part as looked at, for what is taken as a whole and never seen into. */
export function setAside(root: unknown, env: Env): void {
  for (const value of objectsBelow(root)) env.unseen.delete(value);
}

/** A table whose columns are being made by the statement itself: any name, no labels. */
export function anyColumn(alias: string): Source {
  return { alias, columns: [], merged: new Set(), open: [] };
}
