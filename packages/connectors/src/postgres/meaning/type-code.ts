import { joinLabels, type Labels, noLabels } from '../../sql/label-set.ts';
import type { CatalogType } from '../catalog/catalog.ts';
import type { Body } from './ast.ts';
import { onlyComputes } from './builtins.ts';
import { allLabels, type Env, typeOid } from './env.ts';

/**
 * Code of users that runs because a value is made to be of a type: functions of casts, and functions that a domain's
 * checks call. A type brings along those of its elements and fields. Implicit casts of operands are not its business.
 */

/** A value of one type becomes one of another: what the result may carry beyond the value itself. */
export function madeAs(type: CatalogType, given: number, env: Env): Labels {
  const parts = partsOf(type, env);
  let labels = noLabels;
  for (const cast of env.ctx.catalog.userCasts()) {
    if (cast.procedure === 0 || !parts.has(cast.target)) continue;
    if (cast.target === type.oid && isPlain(given, env) && given !== cast.source) continue;
    labels = joinLabels(labels, run(cast.procedure, type, env));
  }
  return joinLabels(labels, checked(parts, env));
}

/** A type that the statement names for values to be read as (a column of XMLTABLE, JSON … RETURNING). */
export function typeNamed(name: Body<'TypeName'> | undefined, env: Env): void {
  const type = name === undefined ? undefined : env.names.type(name);
  if (type !== undefined) env.tally.read(checked(partsOf(type, env), env));
}

function checked(parts: ReadonlyMap<number, CatalogType>, env: Env): Labels {
  let labels = noLabels;
  for (const part of parts.values()) {
    for (const oid of part.checkedBy ?? []) labels = joinLabels(labels, run(oid, part, env));
  }
  return labels;
}

function run(oid: number, type: CatalogType, env: Env): Labels {
  const procedure = env.ctx.catalog.functionByOid(oid);
  if (procedure?.builtIn === true || (procedure !== undefined && onlyComputes(procedure))) return noLabels;
  env.tally.call(procedure ?? { schema: type.schema, name: type.name });
  env.tally.scrub = true;
  return allLabels(env);
}

/** Neither a domain over the source of a cast, nor an array or row of such. */
function isPlain(oid: number, env: Env): boolean {
  if (oid === typeOid.unknownYet || oid === typeOid.record) return false;
  const type = env.ctx.catalog.typeByOid(oid);
  return type !== undefined && type.kind !== 'domain' && type.element === 0 && type.relation === 0;
}

/** The type with everything that a value of it is made of. */
function partsOf(type: CatalogType, env: Env): ReadonlyMap<number, CatalogType> {
  const { catalog } = env.ctx;
  const parts = new Map<number, CatalogType>();
  const waiting = [type.oid];
  for (let oid = waiting.pop(); oid !== undefined; oid = waiting.pop()) {
    const part = parts.has(oid) ? undefined : catalog.typeByOid(oid);
    if (part === undefined) continue;
    parts.set(oid, part);
    waiting.push(part.base, part.element);
    if (part.relation !== 0) {
      for (const column of catalog.relationByOid(part.relation)?.columns ?? []) waiting.push(column.type);
    }
  }
  return parts;
}
