import type { Body, Node, RangeVar } from './ast.ts';
import { as, objectsBelow, strings } from './ast.ts';

/** Where a statement reads the rows that it changes once more, by another name: in a subquery, a WITH item, USING. */

/** The rows that are changed. */
export interface Rows {
  /** What the table is called in the statement. */
  readonly alias: string;
  /** Undefined when its columns are not known. */
  readonly columns: ReadonlySet<string> | undefined;
  readonly booleans: ReadonlySet<string>;
  /** True for a name in FROM by which the same rows can be read. */
  readonly isCopy: (range: RangeVar) => boolean;
  /** Columns of what a name in FROM means; undefined when that is no relation. */
  readonly columnsOf: (range: RangeVar) => ReadonlySet<string> | undefined;
}

export function rangesOf(root: unknown): readonly RangeVar[] {
  return objectsBelow(root).flatMap((value) => ('relname' in value ? [value as RangeVar] : []));
}

/** Some query in the statement reads the same rows with neither a condition that selects among them nor a limit. */
export function copiesWithout(statement: object, rows: Rows, selects: (where: Node, own: Rows) => boolean): boolean {
  return selectsBelow(statement).some((select) => {
    const copies = direct(select.fromClause ?? []).filter(rows.isCopy);
    if (copies.length === 0 || isLimited(select)) return false;
    return !copies.some((range) => {
      const own = { ...rows, alias: range.alias?.aliasname ?? range.relname ?? '', columns: rows.columnsOf(range) };
      return select.whereClause !== undefined && selects(select.whereClause, own);
    });
  });
}

function isLimited(select: Body<'SelectStmt'>): boolean {
  const limit = select.limitCount;
  const constant = as(limit, 'A_Const');
  return as(limit, 'ParamRef') !== undefined || (constant !== undefined && constant.isnull !== true);
}

function selectsBelow(root: object): readonly Body<'SelectStmt'>[] {
  // Every SELECT has this field, also where it stands without its kind.
  return objectsBelow(root).flatMap((value) => ('limitOption' in value ? [value as Body<'SelectStmt'>] : []));
}

/** Relations that FROM names itself, also in joins. */
function direct(nodes: readonly Node[]): readonly RangeVar[] {
  return nodes.flatMap((node) => {
    const join = as(node, 'JoinExpr');
    if (join !== undefined) return direct([join.larg, join.rarg].filter((side) => side !== undefined));
    const sample = as(node, 'RangeTableSample');
    if (sample?.relation !== undefined) return direct([sample.relation]);
    return as(node, 'RangeVar') ?? [];
  });
}

/** A whole row stands for each of its columns: `(t).id`, `row_to_json(t)`. */
export function wholeRowsOf(root: object, isTable: (name: string) => boolean): boolean {
  return objectsBelow(root, (value) => 'SubLink' in value || 'ColumnRef' in value).some((value) => {
    if (!('ColumnRef' in value)) return false;
    const [only, ...more] = strings(as(value as Node, 'ColumnRef')?.fields);
    return only !== undefined && more.length === 0 && isTable(only);
  });
}
