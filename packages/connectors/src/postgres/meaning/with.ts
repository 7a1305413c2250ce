import { joinLabels, sameLabels } from '../../sql/label-set.ts';
import type { Body, Node } from './ast.ts';
import { as, objectsBelow, strings } from './ast.ts';
import { allLabels, type Cte, type CteScope, type Env, type Output, typeOid } from './env.ts';
import { MeaningError } from './error.ts';

/**
 * WITH: each common table expression is looked at once, whether or not it is used, because a data-modifying one runs
 * either way. In WITH RECURSIVE they may name each other in any order.
 */
export function withCtes(clause: Body<'WithClause'> | undefined, env: Env): Env {
  if (clause === undefined) return env;
  const ctes = new Map<string, Cte>();
  const scope: CteScope = { ctes, parent: env.ctes };
  const list: Cte[] = [];
  let visible: CteScope | undefined = env.ctes;
  for (const node of clause.ctes ?? []) {
    const body = as(node, 'CommonTableExpr');
    if (body === undefined) throw new MeaningError('unsupported', 'an odd WITH');
    env.unseen.delete(body);
    const inner: Env = { ...env, ctes: clause.recursive === true ? scope : visible };
    const cte: Cte = {
      body,
      output: undefined,
      computing: false,
      evaluate: () => evaluate(cte, inner),
    };
    list.push(cte);
    if (clause.recursive === true) ctes.set(body.ctename ?? '', cte);
    // Without RECURSIVE each one sees only those before it.
    else visible = { ctes: new Map([[body.ctename ?? '', cte]]), parent: visible };
  }
  for (const cte of list) cteOutput(cte);
  return { ...env, ctes: clause.recursive === true ? scope : visible };
}

export function findCte(scope: CteScope | undefined, name: string): Cte | undefined {
  for (let level = scope; level !== undefined; level = level.parent) {
    const found = level.ctes.get(name);
    if (found !== undefined) return found;
  }
  return undefined;
}

export function cteOutput(cte: Cte): Output {
  if (cte.output !== undefined) return cte.output;
  if (cte.computing) {
    throw new MeaningError('unsupported', 'mutual recursion between WITH items is not implemented');
  }
  cte.computing = true;
  cte.output = cte.evaluate();
  cte.computing = false;
  return cte.output;
}

/** Enough for labels to settle: each round either adds one or is the last. */
const maxRounds = 12;

function evaluate(cte: Cte, env: Env): Output {
  const query = cte.body.ctequery;
  if (query === undefined) throw new MeaningError('unsupported', 'a WITH item without a query');
  const select = as(query, 'SelectStmt');
  if (select?.op !== 'SETOP_UNION' || select.larg === undefined) return named(env.rules.query(query, env), cte, env);
  if (!mentions(query, cte.body.ctename ?? '')) return named(env.rules.query(query, env), cte, env);
  // Recursive: what the first part gives is what the second part sees at first.
  const before = withCtes(select.withClause, env);
  let output = derived(named(before.rules.select(select.larg, before), cte, env));
  for (let round = 0; round < maxRounds; round += 1) {
    cte.output = output;
    const next = derived(named(env.rules.query(query, env), cte, env));
    if (settled(output, next)) return next;
    output = {
      columns: next.columns.map((column, at) => ({
        ...column,
        labels: joinLabels(column.labels, output.columns[at]?.labels ?? []),
      })),
    };
  }
  return { columns: output.columns.map((column) => ({ ...column, labels: allLabels(env) })), open: allLabels(env) };
}

/** Cheap test whether a CTE may refer to itself: by its name anywhere below. */
function mentions(node: Node, name: string): boolean {
  return objectsBelow(node).some((value) => 'relname' in value && value.relname === name);
}

function derived(output: Output): Output {
  return { ...output, columns: output.columns.map((column) => ({ ...column, direct: false })) };
}

function settled(a: Output, b: Output): boolean {
  return (
    a.columns.length === b.columns.length &&
    a.columns.every((column, at) => sameLabels(column.labels, b.columns[at]?.labels ?? []))
  );
}

/** Column names of the WITH item, and the columns that SEARCH and CYCLE add. */
function named(output: Output, cte: Cte, env: Env): Output {
  const names = strings(cte.body.aliascolnames);
  const columns = output.columns.map((column, at) => ({ ...column, name: names[at] ?? column.name }));
  const labels = columns.reduce((sum, column) => joinLabels(sum, column.labels), output.open ?? []);
  const added = [
    cte.body.search_clause?.search_seq_column,
    cte.body.cycle_clause?.cycle_mark_column,
    cte.body.cycle_clause?.cycle_path_column,
  ];
  if (added.some((name) => name !== undefined)) {
    env.tally.expose(labels, 'orders or compares rows of a recursive query by labelled values');
  }
  for (const node of [cte.body.cycle_clause?.cycle_mark_value, cte.body.cycle_clause?.cycle_mark_default]) {
    if (node !== undefined) env.rules.value(node, env);
  }
  for (const name of added) {
    if (name !== undefined) columns.push({ name, labels, type: typeOid.unknownYet, direct: false, computed: true });
  }
  return { ...output, columns };
}
