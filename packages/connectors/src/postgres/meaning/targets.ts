import type { Body, Node } from './ast.ts';
import { as, kindOf, lastOf, strings } from './ast.ts';
import { findQualified, readColumn, wholeRow } from './column.ts';
import { type Env, isComputed, type Output, type OutputColumn } from './env.ts';
import { MeaningError } from './error.ts';
import { type Source, sourceLabels } from './scope.ts';

/** A list of output columns: SELECT's and RETURNING's. */
export function targetList(nodes: readonly Node[] | undefined, env: Env): Output {
  const columns: OutputColumn[] = [];
  let open: Output['open'];
  for (const node of nodes ?? []) {
    const target = as(node, 'ResTarget');
    if (target?.val === undefined) throw new MeaningError('unsupported', 'an odd output column');
    const star = starSources(target.val, env);
    if (star === undefined) columns.push(outputColumn(target, target.val, env));
    else {
      for (const source of star.sources) {
        if (source.open !== undefined) {
          env.tally.read(sourceLabels(source));
          open = [...new Set([...(open ?? []), ...sourceLabels(source)])].sort();
        }
      }
      for (const column of star.columns) {
        readColumn(column, env);
        columns.push(column);
      }
    }
  }
  return open === undefined ? { columns } : { columns, open };
}

function outputColumn(target: Body<'ResTarget'>, node: Node, env: Env): OutputColumn {
  const value = env.rules.value(node, env);
  const name = target.name ?? figureName(node);
  const isColumn = as(node, 'ColumnRef') !== undefined && value.column !== undefined;
  return {
    name,
    labels: value.labels,
    type: value.type,
    direct: isColumn && value.column?.direct === true,
    computed: isComputed(value),
    ...(isColumn && value.column?.path !== undefined ? { path: value.column.path } : {}),
  };
}

interface Star {
  readonly columns: readonly OutputColumn[];
  readonly sources: readonly Source[];
}

/** `*`, `t.*`, `(expression).*`; undefined for anything else. */
function starSources(node: Node, env: Env): Star | undefined {
  const reference = as(node, 'ColumnRef');
  if (reference !== undefined) {
    const last = lastOf(reference.fields ?? []);
    if (last === undefined || as(last, 'A_Star') === undefined) return undefined;
    env.unseen.delete(reference);
    const [table, schema] = [...strings(reference.fields)].reverse();
    if (table === undefined) return { columns: env.scope?.star ?? [], sources: env.scope?.sources ?? [] };
    const source = findQualified(table, schema, env);
    return { columns: source.columns, sources: [source] };
  }
  const indirection = as(node, 'A_Indirection');
  const last = lastOf(indirection?.indirection ?? []);
  if (indirection?.arg === undefined || last === undefined || as(last, 'A_Star') === undefined) return undefined;
  const value = env.rules.value(node, env);
  const source = value.row ?? { alias: '', columns: [], merged: new Set<string>(), open: value.labels };
  if (value.row !== undefined) wholeRow(value.row, env);
  return { columns: [], sources: [{ ...source, columns: [], open: value.labels }] };
}

/** The name a column gets without AS (FigureColname, parse_target.c). */
export function figureName(node: Node): string {
  return figure(node).name ?? '?column?';
}

interface Figured {
  readonly name: string | undefined;
  /** 2 for a name that nothing else may replace. */
  readonly strength: 0 | 1 | 2;
}

const nobody: Figured = { name: undefined, strength: 0 };
const strong = (name: string | undefined): Figured => ({ name, strength: 2 });

function figure(node: Node | undefined): Figured {
  if (node === undefined) return nobody;
  switch (kindOf(node)) {
    case 'ColumnRef':
      return strong(lastOf(strings(as(node, 'ColumnRef')?.fields)));
    case 'A_Indirection': {
      const body = as(node, 'A_Indirection');
      const field = lastOf(strings(body?.indirection));
      return field === undefined ? figure(body?.arg) : strong(field);
    }
    case 'FuncCall':
      return strong(lastOf(strings(as(node, 'FuncCall')?.funcname)));
    case 'A_Expr':
      return as(node, 'A_Expr')?.kind === 'AEXPR_NULLIF' ? strong('nullif') : nobody;
    case 'TypeCast': {
      const body = as(node, 'TypeCast');
      const inner = figure(body?.arg);
      return inner.strength > 0 ? inner : { name: lastOf(strings(body?.typeName?.names)), strength: 1 };
    }
    case 'CollateClause':
      return figure(as(node, 'CollateClause')?.arg);
    case 'GroupingFunc':
      return strong('grouping');
    case 'MergeSupportFunc':
      return strong('merge_action');
    case 'SubLink':
      return sublinkName(as(node, 'SubLink'));
    case 'CaseExpr': {
      const inner = figure(as(node, 'CaseExpr')?.defresult);
      return inner.strength > 1 ? inner : { name: 'case', strength: 1 };
    }
    case 'A_ArrayExpr':
      return strong('array');
    case 'RowExpr':
      return strong('row');
    case 'CoalesceExpr':
      return strong('coalesce');
    case 'MinMaxExpr':
      return strong(as(node, 'MinMaxExpr')?.op === 'IS_LEAST' ? 'least' : 'greatest');
    case 'SQLValueFunction':
      return strong((as(node, 'SQLValueFunction')?.op ?? '').replace(/^SVFOP_|_N$/g, '').toLowerCase());
    case 'XmlExpr':
      return strong((as(node, 'XmlExpr')?.op ?? '').replace('IS_', '').toLowerCase());
    case 'XmlSerialize':
      return strong('xmlserialize');
    default:
      return constructorName(kindOf(node));
  }
}

function sublinkName(body: Body<'SubLink'> | undefined): Figured {
  if (body?.subLinkType === 'EXISTS_SUBLINK') return strong('exists');
  if (body?.subLinkType === 'ARRAY_SUBLINK') return strong('array');
  if (body?.subLinkType !== 'EXPR_SUBLINK') return nobody;
  let select = as(body.subselect, 'SelectStmt');
  while (select?.larg !== undefined) select = select.larg;
  const target = as(select?.targetList?.[0], 'ResTarget');
  if (target?.name !== undefined) return strong(target.name);
  if (target?.val !== undefined) return strong(figureName(target.val));
  return (select?.valuesLists?.length ?? 0) > 0 ? strong('column1') : nobody;
}

const constructors: Readonly<Record<string, string>> = {
  JsonObjectConstructor: 'json_object',
  JsonArrayConstructor: 'json_array',
  JsonArrayQueryConstructor: 'json_array',
  JsonObjectAgg: 'json_objectagg',
  JsonArrayAgg: 'json_arrayagg',
  JsonParseExpr: 'json',
  JsonScalarExpr: 'json_scalar',
  JsonSerializeExpr: 'json_serialize',
};

function constructorName(kind: string): Figured {
  return Object.hasOwn(constructors, kind) ? strong(constructors[kind]) : nobody;
}
