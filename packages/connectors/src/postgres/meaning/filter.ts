import type { Node } from './ast.ts';
import type { Env } from './env.ts';

/** A condition on rows. Which rows come back answers it, so a labelled value may be in it only where asking was judged fine. */
export function filterRows(node: Node | undefined, env: Env, where: string): void {
  if (node === undefined) return;
  const value = env.rules.value(node, env);
  if (value.judged !== true) env.tally.expose(value.labels, `filters by a labelled value in ${where}`);
}
