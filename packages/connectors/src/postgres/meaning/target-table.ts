import { containsLabels, type Labels } from '../../sql/label-set.ts';
import type { SqlVerb } from '../../sql/verbs.ts';
import type { Relation } from '../catalog/catalog.ts';
import type { Body, Node, RangeVar } from './ast.ts';
import { as, objectsBelow, strings } from './ast.ts';
import { type Env, isComputed, type Output, withScope } from './env.ts';
import { MeaningError } from './error.ts';
import { relationSource } from './from.ts';
import { resourceOf } from './objects.ts';
import { type ScopeColumn, type Source, scopeOf } from './scope.ts';
import { targetList } from './targets.ts';

/** The table that a data-modifying statement changes, the values it puts there, and what it gives back. */
export interface TargetTable {
  readonly relation: Relation;
  readonly source: Source;
}

/** WITH items are no targets: the name means a relation even where one hides it in FROM. */
export function targetTable(range: RangeVar | undefined, verb: SqlVerb, env: Env): TargetTable {
  if (range === undefined) throw new MeaningError('unsupported', 'a statement without its table');
  env.unseen.delete(range);
  const relation = env.names.relation(range);
  writes(relation, verb, env);
  const alias = range.alias?.aliasname ?? range.relname ?? '';
  const source = relationSource(relation, alias, strings(range.alias?.colnames), range.alias === undefined, env);
  return { relation, source };
}

export function writes(relation: Relation, verb: SqlVerb, env: Env): void {
  if (relation.hasRules) {
    throw new MeaningError(
      'unsupported',
      `"${relation.name}" has rewrite rules, so a write to it may do something else`,
      {
        hint: 'Replace the rule by a trigger, or write to the table behind it.',
      },
    );
  }
  // Its rule makes an UPDATE a SET, of a setting that only the row tells.
  if (relation.system && relation.name === 'pg_settings') {
    throw new MeaningError('unsupported', 'pg_settings cannot be written to through the gateway', { hint: 'Use SET.' });
  }
  env.tally.relation(verb, relation);
  // Rows of the server's own tables are definitions, roles and privileges.
  if (relation.system) env.tally.act('sql:alter', resourceOf(relation, env));
  env.rules.behind(relation, env);
}

/** The statement reads its own target as well, as privileges would have it (SELECT on the columns it names). */
export function readsTarget(table: TargetTable, parts: readonly (object | undefined)[], env: Env): void {
  if (parts.some(hasColumn)) env.rules.read(table.relation, env);
}

function hasColumn(root: object | undefined): boolean {
  return objectsBelow(root).some((value) => 'ColumnRef' in value);
}

export function columnOf(table: TargetTable, name: string, env: Env): ScopeColumn {
  const at = table.relation.columns.findIndex((column) => column.name === name);
  const column = table.relation.columns[at];
  if (column === undefined) {
    if (table.relation.open === true)
      return { name, labels: env.names.relationLabels(table.relation), type: 0, direct: false, computed: true };
    throw new MeaningError('undefined_column', `column "${name}" of relation "${table.relation.name}" does not exist`);
  }
  return {
    name,
    labels: env.names.columnLabels(table.relation, at),
    type: column.type,
    direct: true,
    path: `${table.relation.schema}.${table.relation.name}.${name}`,
  };
}

/**
 * A labelled value may be written only where it keeps its labels, and only whole: a part of it, put in its own place,
 * could be compared with, and a mask would show some of that part.
 */
export function assign(column: ScopeColumn, given: Labels, computed: boolean, env: Env): void {
  if (column.path !== undefined) env.tally.column(column.path, []);
  if (computed || !containsLabels(column.labels, given)) {
    const what = computed ? 'something computed from a labelled value' : 'a labelled value';
    env.tally.expose(given, `writes ${what} into ${column.path ?? column.name}`);
  }
}

/** `SET a = …`, `SET (a, b) = …`. */
export function assignments(nodes: readonly Node[] | undefined, table: TargetTable, env: Env): void {
  for (const node of nodes ?? []) {
    const target = as(node, 'ResTarget');
    if (target?.val === undefined) throw new MeaningError('unsupported', 'an odd assignment');
    for (const step of target.indirection ?? []) {
      const index = as(step, 'A_Indices');
      for (const bound of [index?.lidx, index?.uidx]) if (bound !== undefined) env.rules.value(bound, env);
    }
    const value = env.rules.value(target.val, env);
    assign(columnOf(table, target.name ?? '', env), value.labels, isComputed(value), env);
  }
}

/** RETURNING sees the row under the table's name, and under OLD and NEW (PostgreSQL 18). */
export function returning(
  clause: Body<'InsertStmt'>['returningClause'],
  sources: readonly Source[],
  env: Env,
): Output | undefined {
  if (clause === undefined) return undefined;
  const [target] = sources;
  if (target === undefined) return undefined;
  const names = { old: 'old', new: 'new' };
  for (const node of clause.options ?? []) {
    const option = as(node, 'ReturningOption');
    if (option?.option === 'RETURNING_OPTION_OLD') names.old = option.value ?? 'old';
    if (option?.option === 'RETURNING_OPTION_NEW') names.new = option.value ?? 'new';
  }
  const star = env.scope?.star ?? [];
  const under = (alias: string): Source => ({
    alias,
    columns: target.columns,
    // By a bare name only the target itself is meant.
    merged: new Set(target.columns.map((column) => column.name)),
    ...(target.relation === undefined ? {} : { relation: target.relation }),
  });
  const taken = new Set(sources.map((source) => source.alias));
  const extra = [names.old, names.new].filter((alias) => !taken.has(alias)).map(under);
  const scope = scopeOf([...sources, ...extra], star, env.scope?.parent ?? undefined);
  return targetList(clause.exprs, withScope(env, scope));
}
