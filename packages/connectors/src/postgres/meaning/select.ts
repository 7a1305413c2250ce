import { joinAllLabels, joinLabels, noLabels } from '../../sql/label-set.ts';
import type { Body, Node } from './ast.ts';
import { as, items, strings } from './ast.ts';
import { type Env, isComputed, type Output, type OutputColumn, typeOid, withScope } from './env.ts';
import { MeaningError } from './error.ts';
import { fromClause } from './from.ts';
import { lockingClause } from './locking.ts';
import { callOperator } from './operators.ts';
import type { Scope } from './scope.ts';
import { keyValue } from './sort-key.ts';
import { outputLabels } from './sublink.ts';
import { targetList } from './targets.ts';
import { windowOver } from './window.ts';
import { withCtes } from './with.ts';

/** SELECT, VALUES, TABLE and set operations: what they read, and what each column they give may carry. */
export function selectOutput(body: Body<'SelectStmt'>, outer: Env): Output {
  outer.unseen.delete(body);
  const env = withCtes(body.withClause, outer);
  if (body.intoClause !== undefined) {
    throw new MeaningError('unsupported', 'SELECT INTO is possible only as a statement of its own');
  }
  if (body.valuesLists !== undefined && body.valuesLists.length > 0) {
    const output = valuesOutput(body.valuesLists, env);
    tail(body, output, withScope(env, env.scope), undefined);
    return output;
  }
  if (body.op !== undefined && body.op !== 'SETOP_NONE') {
    const output = setOperation(body, env);
    const scope: Scope = {
      sources: [
        {
          alias: '',
          columns: output.columns,
          merged: new Set(),
          ...(output.open === undefined ? {} : { open: output.open }),
        },
      ],
      star: output.columns,
      parent: env.scope,
    };
    tail(body, output, withScope(env, scope), undefined);
    return output;
  }
  return simple(body, env);
}

function simple(body: Body<'SelectStmt'>, env: Env): Output {
  const scope = fromClause(body.fromClause, env);
  const inner = withScope(env, scope);
  env.rules.filter(body.whereClause, inner, 'WHERE');
  const output = targetList(body.targetList, inner);
  for (const node of body.groupClause ?? []) grouping(node, output, inner);
  env.rules.filter(body.havingClause, inner, 'HAVING');
  for (const node of body.windowClause ?? []) {
    const window = as(node, 'WindowDef');
    if (window !== undefined) windowOver(window, inner);
  }
  for (const node of body.distinctClause ?? []) {
    // DISTINCT without ON is one empty node.
    if (node === null || Object.keys(node).length === 0) {
      env.tally.expose(outputLabels(output), 'selects distinct labelled values');
    } else env.tally.expose(keyValue(node, output, inner, 'output'), 'selects distinct labelled values');
  }
  tail(body, output, inner, scope);
  return output;
}

/** What follows the rows themselves: their order, how many, and locks on them. */
function tail(body: Body<'SelectStmt'>, output: Output, env: Env, scope: Scope | undefined): void {
  for (const node of body.sortClause ?? []) {
    const sort = as(node, 'SortBy');
    if (sort?.node === undefined) throw new MeaningError('unsupported', 'an odd ORDER BY');
    env.tally.expose(keyValue(sort.node, output, env, 'output'), 'orders by a labelled value');
    // ORDER BY … USING names an operator.
    if (sort.useOp !== undefined) callOperator(strings(sort.useOp), typeOid.unknownYet, typeOid.unknownYet, env);
  }
  for (const node of [body.limitCount, body.limitOffset]) {
    if (node !== undefined) env.tally.expose(env.rules.value(node, env).labels, 'limits rows by a labelled value');
  }
  for (const node of body.lockingClause ?? []) {
    const locking = as(node, 'LockingClause');
    if (locking !== undefined) lockingClause(locking, scope, env);
  }
}

function grouping(node: Node, output: Output, env: Env): void {
  const set = as(node, 'GroupingSet');
  if (set !== undefined) {
    for (const member of set.content ?? []) grouping(member, output, env);
    return;
  }
  for (const member of items(node)) {
    env.tally.expose(keyValue(member, output, env, 'input'), 'groups by a labelled value');
  }
}

function valuesOutput(rows: readonly Node[], env: Env): Output {
  const columns: OutputColumn[] = [];
  for (const row of rows) {
    items(row).forEach((node, at) => {
      const value = env.rules.value(node, env);
      const known = columns[at];
      columns[at] = {
        name: `column${at + 1}`,
        labels: joinLabels(known?.labels ?? noLabels, value.labels),
        type: known === undefined || known.type === value.type ? value.type : typeOid.unknownYet,
        direct: false,
        computed: known?.computed === true || isComputed(value),
      };
    });
  }
  return { columns };
}

function setOperation(body: Body<'SelectStmt'>, env: Env): Output {
  if (body.larg === undefined || body.rarg === undefined) throw new MeaningError('unsupported', 'an odd set operation');
  const left = env.rules.select(body.larg, env);
  const right = env.rules.select(body.rarg, env);
  const both = joinAllLabels([outputLabels(left), outputLabels(right)]);
  if (body.op !== 'SETOP_UNION' || body.all !== true) {
    env.tally.expose(both, 'compares rows with labelled values (UNION, INTERSECT or EXCEPT)');
  }
  if (left.open !== undefined || right.open !== undefined) {
    return {
      columns: left.columns.map((column) => ({ ...column, labels: both, direct: false, computed: true })),
      open: both,
    };
  }
  const columns = left.columns.map((column, at) => {
    const other = right.columns[at];
    const type = other === undefined || other.type === column.type ? column.type : typeOid.unknownYet;
    const labels = joinLabels(column.labels, other?.labels ?? both);
    const computed = column.computed === true || other?.computed !== false;
    return { name: column.name, labels, type, direct: false, computed };
  });
  return { columns };
}
