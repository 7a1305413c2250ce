import { noLabels } from '../../sql/label-set.ts';
import type { Body } from './ast.ts';
import { as, strings } from './ast.ts';
import { type Env, typeOid, type Value } from './env.ts';
import { MeaningError } from './error.ts';
import { fieldCall } from './functions.ts';
import {
  findColumn,
  findInSource,
  findSource,
  type ScopeColumn,
  type Source,
  sourceLabels,
  systemColumns,
} from './scope.ts';

/** What a column reference means: a column, a whole row, or a function called in column notation. */
export function columnValue(body: Body<'ColumnRef'>, env: Env): Value {
  env.unseen.delete(body);
  const fields = body.fields ?? [];
  const last = fields[fields.length - 1];
  const parts = strings(fields);
  if (last !== undefined && as(last, 'A_Star') !== undefined) return starValue(parts, env);
  const [first = '', second] = parts;
  if (second === undefined) return bare(first, env);
  return qualified(parts, env);
}

export function readColumn(column: ScopeColumn, env: Env): Value {
  if (column.path !== undefined) env.tally.column(column.path, column.labels);
  else env.tally.read(column.labels);
  const { labels, type } = column;
  return { labels, constant: false, type, column, ...(column.computed === true ? {} : { whole: true as const }) };
}

export function wholeRow(source: Source, env: Env): Value {
  for (const column of source.columns) readColumn(column, env);
  const labels = sourceLabels(source);
  env.tally.read(labels);
  return { labels, constant: false, type: typeOid.unknownYet, row: source };
}

function bare(name: string, env: Env): Value {
  const found = findColumn(env.scope, name);
  if (found !== undefined) return readColumn(found.column, env);
  if (systemColumns.has(name)) return position(name);
  const source = findSource(env.scope, name);
  if (source !== undefined) return wholeRow(source, env);
  throw new MeaningError('undefined_column', `column "${name}" does not exist`);
}

function qualified(parts: readonly string[], env: Env): Value {
  const [column = '', table = '', schema] = [...parts].reverse();
  const source = findQualified(table, schema, env);
  const found = findInSource(source, column);
  if (found !== undefined) return readColumn(found, env);
  if (systemColumns.has(column)) return position(column);
  if (source.open !== undefined) {
    env.tally.read(source.open);
    return { labels: source.open, constant: false, type: typeOid.unknownYet };
  }
  // `t.f` is f(t) when t has no column f (4.2.6 and "functional notation").
  return fieldCall(column, wholeRow(source, env), env);
}

export function findQualified(table: string, schema: string | undefined, env: Env): Source {
  const source = findSource(env.scope, table, schema);
  if (source !== undefined) return source;
  throw new MeaningError('undefined_column', `missing FROM-clause entry for table "${table}"`);
}

/** `t.*` or `*` where a value is expected: the whole row. */
function starValue(parts: readonly string[], env: Env): Value {
  const [table, schema] = [...parts].reverse();
  if (table !== undefined) return wholeRow(findQualified(table, schema, env), env);
  const star: Source = { alias: '', columns: env.scope?.star ?? [], merged: new Set() };
  return wholeRow(star, env);
}

/** Where a row is stored, not what is in it. */
function position(name: string): Value {
  return { labels: noLabels, constant: false, type: systemColumns.get(name) ?? typeOid.unknownYet };
}
