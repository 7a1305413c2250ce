import type { Node, RangeVar } from './ast.ts';
import { as, items, kindOf, strings } from './ast.ts';

/**
 * Whether a WHERE really selects. It must not be foolable into "yes": a condition counts only if some part of it that
 * must hold compares a column with something else than itself, or with a query that is no plain copy of the table.
 */
export function reallySelects(where: Node | undefined, statement: object, target: RangeVar | undefined): boolean {
  if (where === undefined) return false;
  return selects(where, { tables: tablesByAlias(statement), target: target?.relname ?? '' });
}

interface Names {
  /** Table name by the name it goes by, so that a table under two aliases is seen to be one. */
  readonly tables: ReadonlyMap<string, string>;
  readonly target: string;
}

function selects(node: Node, names: Names): boolean {
  switch (kindOf(node)) {
    case 'CurrentOfExpr':
    case 'ColumnRef':
      return true;
    case 'BoolExpr': {
      const body = as(node, 'BoolExpr');
      const args = body?.args ?? [];
      if (body?.boolop === 'AND_EXPR') return args.some((arg) => selects(arg, names));
      if (body?.boolop === 'OR_EXPR') return args.length > 0 && args.every((arg) => selects(arg, names));
      const [inner] = args;
      return inner !== undefined && negationSelects(inner, names);
    }
    case 'A_Expr':
      return comparisonSelects(node, names);
    case 'NullTest':
      // `id IS NOT NULL` is true of every row of most tables.
      return as(node, 'NullTest')?.nulltesttype === 'IS_NULL' && isColumn(as(node, 'NullTest')?.arg);
    case 'BooleanTest':
      return isColumn(as(node, 'BooleanTest')?.arg) && !/NOT/.test(as(node, 'BooleanTest')?.booltesttype ?? '');
    case 'SubLink':
      return subquerySelects(node, names);
    default:
      return false;
  }
}

/** `NOT x` selects where x is a bare column or a subquery; a negated comparison excludes little. */
function negationSelects(inner: Node, names: Names): boolean {
  return kindOf(inner) === 'ColumnRef' || (kindOf(inner) === 'SubLink' && subquerySelects(inner, names));
}

function subquerySelects(node: Node, names: Names): boolean {
  const body = as(node, 'SubLink');
  const select = as(body?.subselect, 'SelectStmt');
  if (select === undefined) return false;
  const filtered = select.whereClause !== undefined && selects(select.whereClause, names);
  if (body?.subLinkType === 'EXISTS_SUBLINK') return filtered;
  if (body?.subLinkType !== 'ANY_SUBLINK') return false;
  const limited = select.limitCount !== undefined && as(select.limitCount, 'A_Const')?.isnull !== true;
  return filtered || limited || ![...tablesByAlias(select).values()].includes(names.target);
}

const selecting: ReadonlySet<string> = new Set(['=', '<', '<=', '>', '>=', '~', '~*', '@>', '<@', '&&', '@@', '?']);

function comparisonSelects(node: Node, names: Names): boolean {
  const body = as(node, 'A_Expr');
  if (body?.lexpr === undefined || body.rexpr === undefined) return false;
  const { lexpr: left, rexpr: right } = body;
  const operator = strings(body.name).at(-1) ?? '';
  switch (body.kind) {
    case 'AEXPR_IN':
    case 'AEXPR_OP_ANY':
      return operator === '=' && hasColumn(left) && !sharesColumn(left, right, names);
    case 'AEXPR_OP':
    case 'AEXPR_NOT_DISTINCT':
      if (!selecting.has(operator) || sharesColumn(left, right, names)) return false;
      return hasColumn(left) || hasColumn(right);
    case 'AEXPR_LIKE':
    case 'AEXPR_ILIKE':
    case 'AEXPR_SIMILAR': {
      const pattern = as(right, 'A_Const')?.sval?.sval;
      // `LIKE '%'` takes everything that is not null.
      return !operator.startsWith('!') && hasColumn(left) && !(pattern !== undefined && /^%*$/.test(pattern));
    }
    case 'AEXPR_BETWEEN':
    case 'AEXPR_BETWEEN_SYM':
      return hasColumn(left) && !items(right).some((bound) => sharesColumn(left, bound, names));
    default:
      return false;
  }
}

function isColumn(node: Node | undefined): boolean {
  return as(node, 'ColumnRef') !== undefined;
}

function hasColumn(node: Node): boolean {
  return columns(node).length > 0;
}

function sharesColumn(left: Node, right: Node, names: Names): boolean {
  const others = columns(right);
  return columns(left).some((one) => others.some((other) => isSame(one, other, names)));
}

/** Without a qualifier a name may mean the other's column, so it counts as the same. */
function isSame(one: readonly string[], other: readonly string[], names: Names): boolean {
  if (one.at(-1) !== other.at(-1)) return false;
  const [left, right] = [one.at(-2), other.at(-2)];
  if (left === undefined || right === undefined) return true;
  return (names.tables.get(left) ?? left) === (names.tables.get(right) ?? right);
}

function* nodesBelow(root: unknown, into: (value: object) => boolean): Generator<object> {
  const waiting: unknown[] = [root];
  while (waiting.length > 0) {
    const value = waiting.pop();
    if (typeof value !== 'object' || value === null) continue;
    yield value;
    if (into(value)) waiting.push(...Object.values(value));
  }
}

function columns(node: Node): readonly (readonly string[])[] {
  const found: (readonly string[])[] = [];
  for (const value of nodesBelow(node, (one) => !('SubLink' in one) && !('ColumnRef' in one))) {
    if ('ColumnRef' in value) found.push(strings(as(value as Node, 'ColumnRef')?.fields));
  }
  return found;
}

function tablesByAlias(root: object): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const value of nodesBelow(root, () => true)) {
    if (!('relname' in value)) continue;
    const range = value as RangeVar;
    found.set(range.alias?.aliasname ?? range.relname ?? '', range.relname ?? '');
  }
  return found;
}
