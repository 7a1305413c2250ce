import { joinLabels, type Labels, noLabels } from '../../sql/label-set.ts';
import type { CatalogOperator } from '../catalog/catalog.ts';
import { onlyComputes } from './builtins.ts';
import { allLabels, type Env, typeOid } from './env.ts';

/**
 * Operators that are not the server's own run somebody's function. Which operator a name means depends on the operands'
 * types; where those are not known, every operator that could be meant counts as called.
 */

/** What the result may carry if the operator runs code of a user; undefined if it does not. `left` -1 for a prefix operator. */
export function callOperator(name: readonly string[], left: number, right: number, env: Env): Labels | undefined {
  const operator = name[name.length - 1] ?? '';
  const schema = name[name.length - 2];
  if (schema === 'pg_catalog') return undefined;
  if (env.names.freshOperators(operator)) {
    env.tally.call({ schema: schema ?? env.names.creationSchemaOf(undefined), name: operator });
    env.tally.scrub = true;
    env.tally.read(allLabels(env));
    return allLabels(env);
  }
  const candidates = env.ctx.catalog.userOperators(operator);
  if (candidates.length === 0) return undefined;
  const visible = schema === undefined ? env.names.visibleSchemas() : [schema];
  let labels: Labels | undefined;
  for (const candidate of candidates) {
    if (!visible.includes(candidate.schema) || !couldMean(candidate, left, right, env)) continue;
    const procedure = env.ctx.catalog.functionByOid(candidate.procedure);
    if (procedure?.builtIn === true || (procedure !== undefined && onlyComputes(procedure))) continue;
    env.tally.call(procedure ?? { schema: candidate.schema, name: operator });
    env.tally.scrub = true;
    labels = joinLabels(labels ?? noLabels, allLabels(env));
    env.tally.read(labels);
  }
  return labels;
}

function couldMean(candidate: CatalogOperator, left: number, right: number, env: Env): boolean {
  if ((left === -1) !== (candidate.left === 0)) return false;
  // A literal takes the other side's type; two literals are text (typeconv-oper, step 3).
  const other = (one: number, two: number): number =>
    one !== typeOid.literal ? one : two === typeOid.literal || two === -1 ? typeOid.text : two;
  const known = { left: left === -1 ? -1 : other(left, right), right: other(right, left) };
  return (left === -1 || couldBe(known.left, candidate.left, env)) && couldBe(known.right, candidate.right, env);
}

/** Whether a value of a type could be given where another type is asked for, without an explicit cast. */
export function couldBe(given: number, asked: number, env: Env): boolean {
  if (given === typeOid.unknownYet || given === typeOid.literal || given === asked) return true;
  const wanted = env.ctx.catalog.typeByOid(asked);
  // Only a type of a user's own can be out of reach; among the server's types implicit casts abound.
  if (wanted === undefined || wanted.builtIn) return true;
  const offered = env.ctx.catalog.typeByOid(given);
  if (offered === undefined || offered.base === asked || offered.element !== 0) return true;
  return env.ctx.catalog.userCasts().some((cast) => cast.implicit && cast.source === given && cast.target === asked);
}
