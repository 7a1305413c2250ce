import { joinAllLabels, type Labels } from '../../sql/label-set.ts';
import type { Body, Node } from './ast.ts';
import { as, items, kindOf, strings } from './ast.ts';
import { type Env, typeOid } from './env.ts';
import { MeaningError } from './error.ts';
import { within } from './json.ts';
import type { ScopeColumn, Source } from './scope.ts';
import { typeNamed } from './type-code.ts';

/** Functions in FROM, XMLTABLE and JSON_TABLE: rows made of values. */

function column(name: string, labels: Labels, type: number = typeOid.unknownYet): ScopeColumn {
  return { name, labels, type, direct: false, computed: true };
}

/** How many rows come out, and which, shows what went in. */
function expands(labels: Labels, env: Env): void {
  env.tally.expose(labels, 'makes rows out of a labelled value');
}

export function rangeFunction(body: Body<'RangeFunction'>, env: Env): Source {
  env.unseen.delete(body);
  const columns: ScopeColumn[] = [];
  let open: Labels | undefined;
  let firstName = '';
  let scalars = 0;
  for (const item of body.functions ?? []) {
    const [node, definitions] = items(item);
    if (node === undefined) throw new MeaningError('unsupported', 'an odd function in FROM');
    const defined = [...items(definitions), ...(body.coldeflist ?? [])].flatMap((one) => as(one, 'ColumnDef') ?? []);
    for (const one of defined) typeNamed(one.typeName, env);
    const result = functionColumns(node, env);
    firstName ||= result.name;
    expands(result.given, env);
    if (defined.length > 0) columns.push(...defined.map((one) => column(one.colname ?? '', result.labels)));
    else if (result.columns === undefined) open = joinAllLabels([open ?? [], result.labels]);
    else {
      if (result.columns.length === 1 && result.columns[0]?.name === result.name) scalars += 1;
      columns.push(...result.columns.map((one) => column(one.name, result.labels, one.type)));
    }
  }
  if (body.ordinality === true) columns.push(column('ordinality', []));
  const names = strings(body.alias?.colnames);
  const alias = body.alias?.aliasname ?? firstName;
  const known = columns.map((one, at) => ({ ...one, name: names[at] ?? one.name }));
  // A single scalar result takes the alias's name (7.2.1.4).
  const [only] = known;
  const renamed =
    scalars === 1 && (body.functions ?? []).length === 1 && names.length === 0 && only !== undefined
      ? [{ ...only, name: alias }, ...known.slice(1)]
      : known;
  if (open === undefined) return { alias, columns: renamed, merged: new Set() };
  const extra = names.slice(renamed.length).map((name) => column(name, open ?? []));
  return { alias, columns: [...renamed, ...extra], merged: new Set(), open };
}

function functionColumns(
  node: Node,
  env: Env,
): { name: string; labels: Labels; given: Labels; columns: readonly { name: string; type: number }[] | undefined } {
  const call = as(node, 'FuncCall');
  if (call !== undefined) {
    const result = env.rules.call(call, env);
    return { name: result.name, labels: result.value.labels, given: result.given, columns: result.columns };
  }
  const value = env.rules.value(node, env);
  const name = kindOf(node) === 'SQLValueFunction' ? valueFunctionName(node) : '';
  return { name, labels: value.labels, given: value.labels, columns: [{ name, type: value.type }] };
}

function valueFunctionName(node: Node): string {
  return (as(node, 'SQLValueFunction')?.op ?? '').replace('SVFOP_', '').toLowerCase();
}

export function tableFunction(body: Body<'RangeTableFunc'>, env: Env): Source {
  env.unseen.delete(body);
  const parts = [body.docexpr, body.rowexpr, ...(body.namespaces ?? [])].flatMap((node) =>
    node === undefined ? [] : [env.rules.value(node, env).labels],
  );
  const definitions = (body.columns ?? []).flatMap((node) => as(node, 'RangeTableFuncCol') ?? []);
  for (const one of definitions) typeNamed(one.typeName, env);
  for (const one of definitions) {
    for (const node of [one.colexpr, one.coldefexpr]) {
      if (node !== undefined) parts.push(env.rules.value(node, env).labels);
    }
  }
  const labels = joinAllLabels(parts);
  expands(labels, env);
  const names = strings(body.alias?.colnames);
  const columns = definitions.map((one, at) => column(names[at] ?? one.colname ?? '', labels));
  return { alias: body.alias?.aliasname ?? 'xmltable', columns, merged: new Set() };
}

export function jsonTable(body: Body<'JsonTable'>, env: Env): Source {
  env.unseen.delete(body);
  const { columns: definitions = [], alias, ...rest } = body;
  const labels = joinAllLabels(
    [...within(rest, env), ...columnDefaults(definitions, env)].map((value) => value.labels),
  );
  expands(labels, env);
  const names = strings(alias?.colnames);
  const columns = columnNames(definitions).map((name, at) => column(names[at] ?? name, labels));
  return { alias: alias?.aliasname ?? 'json_table', columns, merged: new Set() };
}

/** NESTED PATH columns lie flat beside the others. */
function columnNames(nodes: readonly Node[]): readonly string[] {
  return nodes.flatMap((node) => {
    const one = as(node, 'JsonTableColumn');
    if (one === undefined) return [];
    return one.columns === undefined ? [one.name ?? ''] : columnNames(one.columns);
  });
}

function columnDefaults(nodes: readonly Node[], env: Env): readonly { labels: Labels }[] {
  return nodes.flatMap((node) => {
    const one = as(node, 'JsonTableColumn');
    if (one === undefined) return [];
    typeNamed(one.typeName, env);
    const { columns, ...rest } = one;
    return [...within(rest, env), ...columnDefaults(columns ?? [], env)];
  });
}
