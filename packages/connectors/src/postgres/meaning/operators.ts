import { joinLabels, type Labels, noLabels } from '../../sql/label-set.ts';
import type { CatalogOperator } from '../catalog/catalog.ts';
import { onlyComputes } from './builtins.ts';
import { allLabels, type Env, nothing, typeOid, type Value } from './env.ts';

/**
 * Operators that are not the server's own run somebody's function. Which operator a name means depends on the operands'
 * types; where those are not known, every operator that could be meant counts as called.
 */

/** As `callOperator`; two rows written out are compared field by field. */
export function callOperatorOn(name: readonly string[], left: Value, right: Value, env: Env): Labels | undefined {
  if (left.fields === undefined || right.fields?.length !== left.fields.length) {
    return callOperator(name, left.type, right.type, env);
  }
  let labels: Labels | undefined;
  left.fields.forEach((field, at) => {
    const called = callOperatorOn(name, field, right.fields?.[at] ?? nothing, env);
    if (called !== undefined) labels = joinLabels(labels ?? noLabels, called);
  });
  return labels;
}

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
  // A literal can become whatever is asked for; two literals are text (typeconv-oper, step 3).
  const bothLiteral = (left === typeOid.literal || left === -1) && right === typeOid.literal;
  const known = (type: number): number => (bothLiteral ? typeOid.text : type);
  return (left === -1 || couldBe(known(left), candidate.left, env)) && couldBe(known(right), candidate.right, env);
}

/** Whether a value of a type could be given where another type is asked for, without an explicit cast. */
export function couldBe(given: number, asked: number, env: Env): boolean {
  if (given === typeOid.unknownYet || given === typeOid.literal || given === asked) return true;
  const wanted = env.ctx.catalog.typeByOid(asked);
  const offered = env.ctx.catalog.typeByOid(given);
  if (wanted === undefined || offered === undefined || wanted.kind === 'pseudo' || offered.kind === 'pseudo')
    return true;
  if (env.ctx.catalog.castsImplicitly(given, asked)) return true;
  // A row can stand for its table's parent; a domain for what it is over; an array for one of what its elements can be.
  if (offered.relation !== 0 && wanted.relation !== 0) return true;
  if (wanted.kind === 'domain') return couldBe(given, wanted.base, env);
  if (offered.kind === 'domain') return couldBe(offered.base, asked, env);
  return offered.element !== 0 && wanted.element !== 0 && couldBe(offered.element, wanted.element, env);
}
