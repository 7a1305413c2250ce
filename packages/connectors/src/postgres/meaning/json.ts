import { joinAllLabels } from '../../sql/label-set.ts';
import type { Body, Node } from './ast.ts';
import { type Env, typeOid, type Value, type ValueRules } from './env.ts';
import { typeNamed } from './type-code.ts';

/**
 * The SQL/JSON constructors and queries. Their parts lie in typed fields several levels deep, so every expression found
 * anywhere below is valued; what only builds JSON is harmless, what queries or parses a labelled value tells about it.
 */
export function within(body: object, env: Env): Value[] {
  const values: Value[] = [];
  for (const [key, child] of Object.entries(body)) {
    if (key === 'output') typeNamed((child as Body<'JsonOutput'>)?.typeName, env);
    // Types and formats hold no values.
    if (typeof child !== 'object' || child === null || key === 'output' || key === 'format' || key === 'typeName')
      continue;
    if (Array.isArray(child)) {
      for (const item of child) values.push(...part(item, env));
    } else values.push(...part(child, env));
  }
  return values;
}

/** A node has one capitalised key; a typed field has lower-case ones. */
function part(child: object, env: Env): Value[] {
  const [key] = Object.keys(child);
  if (key === undefined) return [];
  return /^[A-Z]/.test(key) ? [env.rules.value(child as Node, env)] : within(child, env);
}

function build(body: object, env: Env): Value {
  const values = within(body, env);
  return {
    labels: joinAllLabels(values.map((value) => value.labels)),
    constant: values.every((value) => value.constant),
    type: typeOid.unknownYet,
  };
}

function query(body: object, env: Env): Value {
  const value = build(body, env);
  env.tally.expose(value.labels, 'queries or parses a labelled value as JSON');
  return value;
}

function aggregate(body: object, env: Env): Value {
  return { ...build(body, env), constant: false };
}

export const jsonRules: ValueRules = {
  JsonValueExpr: build,
  JsonArgument: build,
  JsonKeyValue: build,
  JsonBehavior: build,
  JsonTablePathSpec: build,
  JsonObjectConstructor: build,
  JsonArrayConstructor: build,
  JsonScalarExpr: build,
  JsonSerializeExpr: build,
  JsonObjectAgg: aggregate,
  JsonArrayAgg: aggregate,
  JsonArrayQueryConstructor: (body, env) => {
    const output = body.query === undefined ? undefined : env.rules.query(body.query, env);
    const labels = joinAllLabels([...(output?.columns ?? []).map((column) => column.labels), output?.open ?? []]);
    return { labels, constant: false, type: typeOid.unknownYet };
  },
  JsonFuncExpr: query,
  JsonParseExpr: query,
  JsonIsPredicate: query,
};
