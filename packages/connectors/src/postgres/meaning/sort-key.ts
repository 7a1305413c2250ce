import type { Labels } from '../../sql/label-set.ts';
import type { Node } from './ast.ts';
import { as, strings } from './ast.ts';
import type { Env, Output } from './env.ts';
import { findColumn } from './scope.ts';

/**
 * A key of ORDER BY, GROUP BY or DISTINCT ON: a position, an output column's name, or an expression. ORDER BY looks at
 * output names first, GROUP BY at input columns (findTargetlistEntrySQL92).
 */
export function keyValue(node: Node, output: Output, env: Env, first: 'input' | 'output'): Labels {
  const constant = as(node, 'A_Const');
  if (constant?.ival !== undefined) {
    const column = output.columns[(constant.ival.ival ?? 0) - 1];
    return column?.labels ?? output.open ?? [];
  }
  const reference = as(node, 'ColumnRef');
  const [name, ...more] = strings(reference?.fields);
  if (reference !== undefined && name !== undefined && more.length === 0) {
    const named = output.columns.find((column) => column.name === name);
    const isInput = findColumn(env.scope, name)?.certain === true;
    if (named !== undefined && (first === 'output' || !isInput)) {
      env.unseen.delete(reference);
      return output.open === undefined ? named.labels : env.rules.value(node, env).labels;
    }
  }
  return env.rules.value(node, env).labels;
}
