import type { Body, Node, RangeVar } from './ast.ts';
import { as, items, kindOf, objectsBelow, strings } from './ast.ts';
import { copiesWithout, type Rows, rangesOf, wholeRowsOf } from './where-copies.ts';

/**
 * Whether a WHERE really selects. It must not be foolable into "yes" by what holds for every row: a condition counts only
 * if some part of it that must hold compares a column of the table itself with something that does not come from the same
 * rows. It knows no values: `id > 0` is a bound like any other.
 */
export function reallySelects(where: Node | undefined, statement: object, rows: Rows): boolean {
  if (where === undefined) return false;
  const tables = tablesOf(statement, rows);
  const copied = copiesWithout(statement, rows, (condition, own) =>
    selects(condition, { rows: own, tables, copied: false }),
  );
  return selects(where, { rows, tables, copied });
}

/** Whether the statement reads the table's own rows by another name, without a condition or a limit on them. */
export function readsAllOf(statement: object, rows: Rows): boolean {
  const tables = tablesOf(statement, rows);
  return copiesWithout(statement, rows, (where, own) => selects(where, { rows: own, tables, copied: false }));
}

/** By the name each goes by; the table's own rows have one name, whatever they are called. */
function tablesOf(statement: object, rows: Rows): ReadonlyMap<string, string> {
  return new Map(rangesOf(statement).map((range) => [aliasOf(range), rows.isCopy(range) ? '' : (range.relname ?? '')]));
}

interface Look {
  readonly rows: Rows;
  /** Table name by the name it goes by, so that a table under two aliases is seen to be one. */
  readonly tables: ReadonlyMap<string, string>;
  /** The same rows are at hand elsewhere, so that comparing with what is read there selects nothing. */
  readonly copied: boolean;
}

function aliasOf(range: RangeVar): string {
  return range.alias?.aliasname ?? range.relname ?? '';
}

function selects(node: Node, look: Look): boolean {
  switch (kindOf(node)) {
    case 'CurrentOfExpr':
      return true;
    case 'ColumnRef':
      return isOwn(node, look);
    case 'BoolExpr': {
      const body = as(node, 'BoolExpr');
      const args = body?.args ?? [];
      if (body?.boolop === 'AND_EXPR') return args.some((arg) => selects(arg, look));
      if (body?.boolop === 'OR_EXPR') return args.every((arg) => selects(arg, look)) && !complementary(args);
      const [inner] = args;
      // A negated comparison excludes little.
      if (inner === undefined || (kindOf(inner) === 'SubLink' && rangesOf(inner).length === 0)) return false;
      return ['ColumnRef', 'SubLink'].includes(kindOf(inner)) && selects(inner, look);
    }
    case 'A_Expr':
      return comparisonSelects(node, look);
    case 'NullTest':
      // `id IS NOT NULL` is true of every row of most tables.
      return as(node, 'NullTest')?.nulltesttype === 'IS_NULL' && isOwn(as(node, 'NullTest')?.arg, look);
    case 'BooleanTest': {
      const body = as(node, 'BooleanTest');
      return isOwn(body?.arg, look) && !/NOT/.test(body?.booltesttype ?? '');
    }
    case 'SubLink':
      return subquerySelects(node, look);
    default:
      return false;
  }
}

/** `a < 1 OR a >= 1`, `a OR NOT a`: a column in two branches may be given values in each, and nothing else. */
function complementary(branches: readonly Node[]): boolean {
  const loose = new Map<string, number>();
  const seen = new Map<string, number>();
  for (const branch of branches) {
    const names = new Set(columns(branch).map((one) => one.at(-1) ?? ''));
    for (const name of names) seen.set(name, (seen.get(name) ?? 0) + 1);
    if (!givesValues(branch)) for (const name of names) loose.set(name, (loose.get(name) ?? 0) + 1);
  }
  return [...loose.keys()].some((name) => (loose.get(name) ?? 0) > 1);
}

function givesValues(node: Node): boolean {
  if (kindOf(node) === 'NullTest') return true;
  const comparison = as(node, 'A_Expr');
  if (comparison !== undefined) return strings(comparison.name).at(-1) === '=' || /LIKE/.test(comparison.kind ?? '');
  const body = as(node, 'BoolExpr');
  return body?.boolop === 'AND_EXPR' && (body.args ?? []).some(givesValues);
}

/** A column of the table itself; where a row is stored and which table it is in says nothing about the row. */
function isOwn(node: Node | undefined, look: Look): boolean {
  const fields = strings(as(node, 'ColumnRef')?.fields);
  const name = fields.at(-1);
  const table = fields.at(-2);
  if (name === undefined || (table !== undefined && table !== look.rows.alias)) return false;
  return name === 'ctid' || look.rows.columns === undefined || look.rows.columns.has(name);
}

function ownColumns(node: Node, look: Look): readonly (readonly string[])[] {
  return columns(node).filter((fields) =>
    isOwn({ ColumnRef: { fields: fields.map((sval) => ({ String: { sval } })) } }, look),
  );
}

/** Each column once: `id - id` and `coalesce(nullif(id, id), 1)` are the same for every row, as is `id * 0`. */
function dependsOnRow(node: Node, look: Look): boolean {
  const own = ownColumns(node, look).map((fields) => fields.at(-1));
  if (own.length === 0 || new Set(own).size < own.length) return false;
  return !nodesBelow(node).some((one) => {
    const product = as(one as Node, 'A_Expr');
    const zero = (side: Node | undefined): boolean =>
      as(side, 'A_Const')?.ival !== undefined && !as(side, 'A_Const')?.ival?.ival;
    const called = strings(as(one as Node, 'FuncCall')?.funcname).at(-1);
    if (['BoolExpr', 'NullTest', 'BooleanTest'].some((kind) => kind in one)) return true;
    if (/^[<>=!]+$/.test(strings(product?.name).at(-1) ?? '')) return true;
    if (called === 'pg_typeof' || called === 'num_nulls' || called === 'num_nonnulls') return true;
    return (
      product !== undefined && strings(product.name).at(-1) === '*' && (zero(product.lexpr) || zero(product.rexpr))
    );
  });
}

const equal: ReadonlySet<string> = new Set(['=', '@@', '&&', '?', '?|', '?&']);
const loosely: ReadonlySet<string> = new Set(['<', '<=', '>', '>=', '~', '~*', '@>', '<@', '^@']);

function comparisonSelects(node: Node, look: Look): boolean {
  const body = as(node, 'A_Expr');
  if (body?.lexpr === undefined || body.rexpr === undefined) return false;
  const { lexpr: left, rexpr: right } = body;
  const operator = strings(body.name).at(-1) ?? '';
  if (
    sharesColumn(left, right, look) ||
    wholeRowsOf(body, (name) => look.tables.has(name) && look.rows.columns?.has(name) !== true)
  )
    return false;
  const [own, other] = dependsOnRow(left, look) ? [left, right] : [right, left];
  if (!dependsOnRow(own, look)) return false;
  if (operator === '=' && body.kind === 'AEXPR_OP' && isOneValue(other, look)) return true;
  if (!isElsewhere(other, look)) return false;
  const system = ownColumns(own, look).some((fields) => fields.at(-1) === 'ctid');
  const boolean = ownColumns(own, look).every((fields) => look.rows.booleans.has(fields.at(-1) ?? ''));
  switch (body.kind) {
    case 'AEXPR_IN':
    case 'AEXPR_OP_ANY':
      return operator === '=' && own === left && !boolean;
    case 'AEXPR_OP':
    case 'AEXPR_NOT_DISTINCT':
      if (equal.has(operator)) return true;
      return loosely.has(operator) && !system && !boolean && !takesAll(operator, other);
    case 'AEXPR_LIKE':
    case 'AEXPR_ILIKE':
    case 'AEXPR_SIMILAR':
      return own === left && !operator.startsWith('!') && !takesAll('LIKE', other);
    case 'AEXPR_BETWEEN':
    case 'AEXPR_BETWEEN_SYM':
      return own === left && !system && items(right).every((bound) => isElsewhere(bound, look));
    default:
      return false;
  }
}

/** A subquery that gives one value for all rows, wherever it is read. */
function isOneValue(node: Node, look: Look): boolean {
  const body = as(node, 'SubLink');
  const select = as(body?.subselect, 'SelectStmt');
  if (select === undefined || body?.subLinkType !== 'EXPR_SUBLINK' || !givesOther(select, look)) return false;
  const outer = deepColumns(select).some((fields) => fields.at(-2) === look.rows.alias);
  return rangesOf(select).length > 0 && (!outer || shadows(select, look.rows.alias));
}

/** What is compared with is not read from the same rows: constants, parameters, other tables, queries over these. */
function isElsewhere(node: Node, look: Look): boolean {
  const queries = nodesBelow(node).flatMap((one) => as(one as Node, 'SubLink') ?? []);
  if (queries.some((query) => !givesOther(as(query.subselect, 'SelectStmt'), look))) return false;
  return !look.copied || (queries.length === 0 && columns(node).length === 0);
}

/** Patterns and bounds that every value, or every value that is not null, fits. */
function takesAll(operator: string, node: Node): boolean {
  if (nodesBelow(node).some((one) => 'ParamRef' in one || 'SubLink' in one || 'ColumnRef' in one)) return false;
  const texts = nodesBelow(node).flatMap((one) => as(one as Node, 'A_Const')?.sval?.sval ?? []);
  if (kindOf(node) !== 'A_Const' && texts.length === 0) return false;
  const text = texts.join('');
  if (operator === 'LIKE') return /^[%_]*$/.test(text);
  if (operator.startsWith('~')) return /^(\^|\$|\.|\*|\+|\?|\(|\)|\\A|\\Z)*$/.test(text);
  return texts.length > 0 && /^[\s{}[\]]*$/.test(text);
}

function subquerySelects(node: Node, look: Look): boolean {
  const body = as(node, 'SubLink');
  const select = as(body?.subselect, 'SelectStmt');
  if (select === undefined || look.copied) return false;
  if (body?.subLinkType === 'EXISTS_SUBLINK') {
    return select.whereClause !== undefined && correlates(select.whereClause, look);
  }
  if (body?.subLinkType !== 'ANY_SUBLINK' || body.testexpr === undefined) return false;
  return dependsOnRow(body.testexpr, look) && givesOther(select, look);
}

/** The condition inside compares a column of the outer row, written with its table, with one of the inner rows. */
function correlates(node: Node, look: Look): boolean {
  const body = as(node, 'BoolExpr');
  if (body?.boolop === 'AND_EXPR') return (body.args ?? []).some((arg) => correlates(arg, look));
  if (body?.boolop === 'OR_EXPR') return (body.args ?? []).every((arg) => correlates(arg, look));
  const comparison = as(node, 'A_Expr');
  if (comparison?.lexpr === undefined || comparison.rexpr === undefined || comparison.kind !== 'AEXPR_OP') return false;
  const { lexpr: left, rexpr: right } = comparison;
  const outer = (side: Node): boolean => columns(side).some((fields) => fields.at(-2) === look.rows.alias);
  return (
    outer(left) !== outer(right) && columns(outer(left) ? right : left).length > 0 && !sharesColumn(left, right, look)
  );
}

/** The query gives values of its own, not the outer row's: `id IN (SELECT id)`, or from a table without a column `id`. */
function givesOther(select: Body<'SelectStmt'> | undefined, look: Look): boolean {
  if (select === undefined) return false;
  const parts: readonly Node[] = [...(select.targetList ?? []), ...(select.valuesLists ?? [])];
  const named = parts.flatMap((part) => columns(part));
  if (named.some((fields) => fields.at(-2) === look.rows.alias && !shadows(select, look.rows.alias))) return false;
  const bare = named.filter((fields) => fields.length === 1 && fields[0] !== undefined).map(([name]) => name ?? '');
  const inner = rangesOf(select.fromClause ?? []).map(look.rows.columnsOf);
  const isInner = (name: string): boolean => inner.some((known) => known === undefined || known.has(name));
  const nested = nodesBelow(select.fromClause ?? []).some((one) => 'RangeSubselect' in one || 'RangeFunction' in one);
  return bare.every(
    (name) => nested || isInner(name) || (look.rows.columns !== undefined && !look.rows.columns.has(name)),
  );
}

function shadows(select: object, alias: string): boolean {
  return rangesOf(select).some((range) => aliasOf(range) === alias);
}

function sharesColumn(left: Node, right: Node, look: Look): boolean {
  const others = columns(right);
  return columns(left).some((one) => others.some((other) => isSame(one, other, look)));
}

/** Without a qualifier a name may mean the other's column, so it counts as the same. */
function isSame(one: readonly string[], other: readonly string[], look: Look): boolean {
  if (one.at(-1) !== other.at(-1)) return false;
  const [left, right] = [one.at(-2), other.at(-2)];
  if (left === undefined || right === undefined) return true;
  return (look.tables.get(left) ?? left) === (look.tables.get(right) ?? right);
}

/** Without what lies inside a subquery. */
function nodesBelow(root: unknown): readonly object[] {
  return objectsBelow(root, (value) => 'SubLink' in value);
}

function deepColumns(root: object): readonly (readonly string[])[] {
  return columnsOf(objectsBelow(root));
}

function columns(node: Node): readonly (readonly string[])[] {
  return columnsOf(nodesBelow(node));
}

function columnsOf(nodes: readonly object[]): readonly (readonly string[])[] {
  return nodes.flatMap((one) => ('ColumnRef' in one ? [strings(as(one as Node, 'ColumnRef')?.fields)] : []));
}
