import type { Relation } from '../catalog/catalog.ts';
import type { Body, RangeVar } from './ast.ts';
import { as } from './ast.ts';
import { type Env, isComputed, type Output, typeOid, withScope } from './env.ts';
import { MeaningError } from './error.ts';
import { fromClause, relationSource } from './from.ts';
import { scopeOf } from './scope.ts';
import {
  assign,
  assignments,
  columnOf,
  readsTarget,
  returning,
  type TargetTable,
  targetTable,
} from './target-table.ts';
import { readsAllOf, reallySelects } from './trivial.ts';
import type { Rows } from './where-copies.ts';
import { findCte, withCtes } from './with.ts';

/** INSERT, UPDATE and DELETE. Output undefined: it gives no rows. */
export function insertOutput(body: Body<'InsertStmt'>, outer: Env): Output | undefined {
  const env = begin(body, outer);
  const table = targetTable(body.relation, 'sql:insert', env);
  const named = (body.cols ?? []).flatMap((node) => {
    const target = as(node, 'ResTarget');
    for (const step of target?.indirection ?? []) {
      const index = as(step, 'A_Indices');
      for (const bound of [index?.lidx, index?.uidx]) if (bound !== undefined) env.rules.value(bound, env);
    }
    return target?.name ?? [];
  });
  const columns = (named.length > 0 ? named : table.relation.columns.map((column) => column.name)).map((name) =>
    columnOf(table, name, env),
  );
  if (body.selectStmt !== undefined) {
    const output = env.rules.query(body.selectStmt, env);
    if (output.open !== undefined) env.tally.expose(output.open, `writes labelled values into ${table.relation.name}`);
    columns.forEach((column, at) => {
      const given = output.columns[at];
      // Fewer values than columns: the rest take their defaults.
      if (given !== undefined) assign(column, given.labels, given.computed !== false, env);
    });
  }
  const inner = withScope(env, scopeOf([table.source], table.source.columns, undefined));
  onConflict(body.onConflictClause, table, env);
  // Inserting what is there already is an update of all of it.
  const update = body.onConflictClause?.action === 'ONCONFLICT_UPDATE';
  const rows = rowsOf(body.relation, table, env);
  if (update && readsAllOf(body, rows) && !reallySelects(body.onConflictClause?.whereClause, body, rows)) {
    env.tally.unbounded('sql:update');
  }
  readsTarget(table, [body.returningClause], env);
  return returning(body.returningClause, [table.source], inner);
}

function rowsOf(range: RangeVar | undefined, table: TargetTable, env: Env): Rows {
  const { relation } = table;
  const reached = (one: Relation): readonly number[] => [
    one.oid,
    ...one.parents,
    ...env.ctx.catalog.descendants(one.oid).map((child) => child.oid),
    ...env.rules.behind(one, env).map((below) => below.oid),
  ];
  const own = new Set(reached(relation));
  const names = (one: Relation): ReadonlySet<string> | undefined =>
    one.open === true ? undefined : new Set(one.columns.map((column) => column.name));
  return {
    alias: range?.alias?.aliasname ?? range?.relname ?? '',
    columns: names(relation),
    booleans: new Set(relation.columns.flatMap((one) => (one.type === typeOid.boolean ? one.name : []))),
    // A WITH item's own query may still mean the relation that the item hides from the others.
    isCopy: (one) => {
      const found = env.names.find(one);
      return found !== undefined && reached(found).some((oid) => own.has(oid));
    },
    columnsOf: (one) => {
      const isItem = one.schemaname === undefined && findCte(env.ctes, one.relname ?? '') !== undefined;
      const found = isItem ? undefined : env.names.find(one);
      return found === undefined ? undefined : names(found);
    },
  };
}

function begin(body: { withClause?: Body<'WithClause'> } & object, outer: Env): Env {
  outer.unseen.delete(body);
  return withCtes(body.withClause, outer);
}

function onConflict(clause: Body<'OnConflictClause'> | undefined, table: TargetTable, env: Env): void {
  if (clause === undefined) return;
  const own = withScope(env, scopeOf([table.source], table.source.columns, undefined));
  for (const node of clause.infer?.indexElems ?? []) {
    const element = as(node, 'IndexElem');
    if (element?.expr !== undefined) env.rules.value(element.expr, own);
    else if (element?.name !== undefined) assign(columnOf(table, element.name, env), [], false, env);
  }
  env.rules.filter(clause.infer?.whereClause, own, 'ON CONFLICT');
  if (clause.action !== 'ONCONFLICT_UPDATE') return;
  env.tally.relation('sql:update', table.relation);
  env.rules.read(table.relation, env);
  const excluded = relationSource(table.relation, 'excluded', [], false, env);
  // `excluded` holds what the client sent, under the columns it is meant for; a bare name is the table's own.
  const proposed = { ...excluded, merged: new Set(excluded.columns.map((column) => column.name)) };
  const inner = withScope(env, scopeOf([table.source, proposed], table.source.columns, undefined));
  assignments(clause.targetList, table, inner);
  env.rules.filter(clause.whereClause, inner, 'ON CONFLICT');
}

export function updateOutput(body: Body<'UpdateStmt'>, outer: Env): Output | undefined {
  const env = begin(body, outer);
  const table = targetTable(body.relation, 'sql:update', env);
  if (!reallySelects(body.whereClause, body, rowsOf(body.relation, table, env))) env.tally.unbounded('sql:update');
  const from = fromClause(body.fromClause, withScope(env, undefined));
  const sources = [table.source, ...from.sources];
  const inner = withScope(env, scopeOf(sources, [...table.source.columns, ...from.star], undefined));
  assignments(body.targetList, table, inner);
  env.rules.filter(body.whereClause, inner, 'WHERE');
  readsTarget(table, [body.whereClause, body.targetList, body.returningClause, body.fromClause], env);
  return returning(body.returningClause, sources, inner);
}

export function deleteOutput(body: Body<'DeleteStmt'>, outer: Env): Output | undefined {
  const env = begin(body, outer);
  const table = targetTable(body.relation, 'sql:delete', env);
  if (!reallySelects(body.whereClause, body, rowsOf(body.relation, table, env))) env.tally.unbounded('sql:delete');
  const from = fromClause(body.usingClause, withScope(env, undefined));
  const sources = [table.source, ...from.sources];
  const inner = withScope(env, scopeOf(sources, [...table.source.columns, ...from.star], undefined));
  env.rules.filter(body.whereClause, inner, 'WHERE');
  readsTarget(table, [body.whereClause, body.returningClause, body.usingClause], env);
  return returning(body.returningClause, sources, inner);
}

export function mergeOutput(body: Body<'MergeStmt'>, outer: Env): Output | undefined {
  const env = begin(body, outer);
  const table = targetTable(body.relation, 'sql:merge', env);
  if (body.sourceRelation === undefined) throw new MeaningError('unsupported', 'a MERGE without a source');
  const from = fromClause([body.sourceRelation], withScope(env, undefined));
  const sources = [table.source, ...from.sources];
  // RETURNING * gives the source's columns first.
  const inner = withScope(env, scopeOf(sources, [...from.star, ...table.source.columns], undefined));
  env.rules.filter(body.joinCondition, inner, 'MERGE ON');
  const rows = rowsOf(body.relation, table, env);
  const joined = reallySelects(body.joinCondition, body, rows);
  env.rules.read(table.relation, env);
  for (const node of body.mergeWhenClauses ?? []) {
    const clause = as(node, 'MergeWhenClause');
    if (clause === undefined) throw new MeaningError('unsupported', 'an odd MERGE');
    // Rows that the source does not match are all the others.
    const bySource = clause.matchKind === 'MERGE_WHEN_NOT_MATCHED_BY_SOURCE';
    const bounded = (joined && !bySource) || reallySelects(clause.condition, body, rows);
    mergeClause(clause, table, bounded, inner);
  }
  return returning(body.returningClause, sources, inner);
}

function mergeClause(clause: Body<'MergeWhenClause'>, table: TargetTable, bounded: boolean, env: Env): void {
  env.rules.filter(clause.condition, env, 'MERGE WHEN');
  switch (clause.commandType) {
    case 'CMD_UPDATE':
      env.tally.relation('sql:update', table.relation);
      if (!bounded) env.tally.unbounded('sql:update');
      assignments(clause.targetList, table, env);
      return;
    case 'CMD_DELETE':
      env.tally.relation('sql:delete', table.relation);
      if (!bounded) env.tally.unbounded('sql:delete');
      return;
    case 'CMD_INSERT': {
      env.tally.relation('sql:insert', table.relation);
      const named = (clause.targetList ?? []).flatMap((node) => as(node, 'ResTarget')?.name ?? []);
      const columns = named.length > 0 ? named : table.relation.columns.map((column) => column.name);
      (clause.values ?? []).forEach((node, at) => {
        const value = env.rules.value(node, env);
        assign(columnOf(table, columns[at] ?? '', env), value.labels, isComputed(value), env);
      });
      return;
    }
    case 'CMD_NOTHING':
      return;
    default:
      throw new MeaningError('unsupported', 'the gateway does not understand this MERGE action');
  }
}
