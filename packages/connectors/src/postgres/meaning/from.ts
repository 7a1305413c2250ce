import { joinLabels } from '../../sql/label-set.ts';
import type { Relation } from '../catalog/catalog.ts';
import type { Node, RangeVar } from './ast.ts';
import { as, kindOf, strings } from './ast.ts';
import { type Env, type Output, withScope } from './env.ts';
import { MeaningError } from './error.ts';
import { joined } from './join.ts';
import { type Scope, type ScopeColumn, type Source, scopeOf } from './scope.ts';
import { jsonTable, rangeFunction, tableFunction } from './table-function.ts';
import { cteOutput, findCte } from './with.ts';

/** FROM: what each item offers to the rest of the query, and what is read by naming it. */
export interface FromItem {
  readonly sources: readonly Source[];
  readonly star: readonly ScopeColumn[];
}

/** The scope of a query with these items; each may look at those before it if it is lateral. */
export function fromClause(nodes: readonly Node[] | undefined, env: Env): Scope {
  const sources: Source[] = [];
  const star: ScopeColumn[] = [];
  for (const node of nodes ?? []) {
    const item = fromItem(node, env, sources);
    sources.push(...item.sources);
    star.push(...item.star);
  }
  return scopeOf(sources, star, env.scope);
}

export function fromItem(node: Node, env: Env, before: readonly Source[]): FromItem {
  const lateral = withScope(env, scopeOf(before, [], env.scope));
  switch (kindOf(node)) {
    case 'RangeVar':
      return single(rangeVar(present(as(node, 'RangeVar')), env));
    case 'RangeSubselect': {
      const body = present(as(node, 'RangeSubselect'));
      const output = env.rules.query(present(body.subquery), body.lateral === true ? lateral : env);
      return single(outputSource(output, body.alias?.aliasname ?? '', strings(body.alias?.colnames)));
    }
    case 'RangeFunction':
      return single(rangeFunction(present(as(node, 'RangeFunction')), lateral));
    case 'RangeTableFunc':
      return single(tableFunction(present(as(node, 'RangeTableFunc')), lateral));
    case 'JsonTable':
      return single(jsonTable(present(as(node, 'JsonTable')), lateral));
    case 'RangeTableSample': {
      const body = present(as(node, 'RangeTableSample'));
      for (const arg of [...(body.args ?? []), ...(body.repeatable === undefined ? [] : [body.repeatable])]) {
        env.tally.expose(env.rules.value(arg, lateral).labels, 'samples by a labelled value');
      }
      sampling(strings(body.method), env);
      return fromItem(present(body.relation), env, before);
    }
    case 'JoinExpr':
      return joined(present(as(node, 'JoinExpr')), env, before, fromItem);
    default:
      throw new MeaningError('unsupported', `the gateway does not understand ${kindOf(node)} in FROM and refuses it`);
  }
}

/** Both standard methods only pick rows; any other is somebody's code. */
function sampling(method: readonly string[], env: Env): void {
  const name = method[method.length - 1] ?? '';
  const schema = method[method.length - 2];
  if ((name === 'system' || name === 'bernoulli') && (schema === undefined || schema === 'pg_catalog')) return;
  env.tally.call({ schema: schema ?? env.names.creationSchemaOf(undefined), name });
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new MeaningError('unsupported', 'an incomplete FROM item');
  return value;
}

function single(source: Source): FromItem {
  return { sources: [source], star: source.columns };
}

function rangeVar(body: RangeVar, env: Env): Source {
  env.unseen.delete(body);
  const alias = body.alias?.aliasname ?? body.relname ?? '';
  const names = strings(body.alias?.colnames);
  if (body.schemaname === undefined) {
    // The name of a WITH item hides any relation (7.8).
    const cte = findCte(env.ctes, body.relname ?? '');
    if (cte !== undefined) return outputSource(cteOutput(cte), alias, names);
  }
  const relation = env.names.relation(body);
  env.rules.read(relation, env);
  return relationSource(relation, alias, names, body.alias === undefined, env);
}

export function relationSource(
  relation: Relation,
  alias: string,
  names: readonly string[],
  qualified: boolean,
  env: Env,
): Source {
  const columns = relation.columns.map((column, at) => ({
    name: names[at] ?? column.name,
    labels: env.names.columnLabels(relation, at),
    type: column.type,
    direct: relation.open !== true,
    computed: env.names.columnComputed(relation, at),
    path: `${relation.schema}.${relation.name}.${column.name}`,
  }));
  return {
    alias,
    ...(qualified ? { schema: relation.schema } : {}),
    relation,
    columns: relation.kind === 'sequence' ? sequenceColumns(columns) : columns,
    merged: new Set(),
    ...(relation.open === true ? { open: env.names.relationLabels(relation) } : {}),
  };
}

function sequenceColumns(columns: readonly ScopeColumn[]): readonly ScopeColumn[] {
  return columns.map((column) => ({ ...column, labels: [] }));
}

export function outputSource(output: Output, alias: string, names: readonly string[]): Source {
  const columns = output.columns.map((column, at) => ({ ...column, name: names[at] ?? column.name }));
  if (output.open === undefined) return { alias, columns, merged: new Set() };
  // Past the known columns the alias list names unknown ones.
  const extra = names
    .slice(columns.length)
    .map((name) => ({ name, labels: output.open ?? [], type: 0, direct: false, computed: true }));
  const open = columns.reduce((sum, column) => joinLabels(sum, column.labels), output.open);
  return { alias, columns: [...columns, ...extra], merged: new Set(), open };
}
