import type { Body } from './ast.ts';
import type { Env } from './env.ts';

/** OVER and WINDOW: an order or partition by a labelled value shows through the numbers it gives. */
export function windowOver(body: Body<'WindowDef'>, env: Env): void {
  for (const node of body.partitionClause ?? []) {
    env.tally.expose(env.rules.value(node, env).labels, 'partitions a window by a labelled value');
  }
  for (const node of body.orderClause ?? []) {
    env.tally.expose(env.rules.value(node, env).labels, 'orders a window by a labelled value');
  }
  for (const node of [body.startOffset, body.endOffset]) {
    if (node !== undefined) env.tally.expose(env.rules.value(node, env).labels, 'bounds a window by a labelled value');
  }
}
