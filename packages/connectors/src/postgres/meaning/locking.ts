import { inSchema } from '../../sql/resources.ts';
import type { Relation } from '../catalog/catalog.ts';
import type { Body } from './ast.ts';
import { as } from './ast.ts';
import type { Env } from './env.ts';
import type { Scope } from './scope.ts';

/** FOR UPDATE and its weaker kin: they hold up writers, so they count as a write. */
export function lockingClause(body: Body<'LockingClause'>, scope: Scope | undefined, env: Env): void {
  env.unseen.delete(body);
  const named = new Set<string>();
  for (const node of body.lockedRels ?? []) {
    const range = as(node, 'RangeVar');
    if (range === undefined) continue;
    env.unseen.delete(range);
    named.add(range.relname ?? '');
  }
  let whole = scope === undefined;
  for (const source of scope?.sources ?? []) {
    if (named.size > 0 && !named.has(source.alias)) continue;
    // Locking a subquery locks what it reads; which tables those are, its own actions say.
    if (source.relation === undefined) whole = true;
    else lock(source.relation, env);
  }
  if (whole) env.tally.act('sql:lock');
}

function lock(relation: Relation, env: Env): void {
  env.tally.act('sql:lock', inSchema('Table', env.ctx.target, relation.schema, relation.name));
}
