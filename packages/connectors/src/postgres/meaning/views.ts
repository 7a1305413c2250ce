import type { Catalog, Relation } from '../catalog/catalog.ts';
import type { Behind, Env } from './env.ts';

/**
 * What lies behind views: the relations and functions their definitions reach, found once per view and catalog. The
 * server checks those against the view's owner, not its reader, so they are told to policy as context and are not actions
 * of the reader, except behind a view that checks its invoker.
 */
const known = new WeakMap<Catalog, Map<number, Behind>>();

export type BehindView = (view: Relation, env: Env) => Behind;

export function readRelation(relation: Relation, env: Env, behindView: BehindView): void {
  env.tally.relation('sql:select', relation);
  touchBehind(relation, env, behindView);
  if (relation.definition === undefined || !relation.securityInvoker) return;
  for (const one of behind(relation, env, behindView).named) env.tally.relation('sql:select', one);
}

/** For a relation that is written or locked as well. */
export function touchBehind(relation: Relation, env: Env, behindView: BehindView): readonly Relation[] {
  if (env.names.relationLabels(relation).length > 0) env.tally.scrub = true;
  for (const child of env.ctx.catalog.descendants(relation.oid)) env.tally.touch(child);
  if (relation.definition === undefined) return [];
  const found = behind(relation, env, behindView);
  for (const one of found.relations) {
    env.tally.touch(one);
    if (env.names.relationLabels(one).length > 0) env.tally.scrub = true;
  }
  for (const one of found.functions) {
    env.tally.mention(one);
    env.tally.scrub = true;
  }
  return found.relations;
}

function behind(view: Relation, env: Env, behindView: BehindView): Behind {
  const { catalog } = env.ctx;
  const cached = known.get(catalog) ?? new Map<number, Behind>();
  known.set(catalog, cached);
  const found = cached.get(view.oid);
  if (found !== undefined) return found;
  // Set first: a definition that leads back to itself must end.
  cached.set(view.oid, { relations: [], named: [], functions: [] });
  const result = behindView(view, env);
  cached.set(view.oid, result);
  return result;
}
