import { joinAllLabels, joinLabels, type Labels, noLabels } from '../../sql/label-set.ts';
import { inTarget } from '../../sql/resources.ts';
import type { CatalogFunction } from '../catalog/catalog.ts';
import type { Body, Node } from './ast.ts';
import { as, optionText, strings } from './ast.ts';
import { classify, onlyComputes, runsSql } from './builtins.ts';
import { castTo } from './cast.ts';
import { allLabels, type CallResult, type Env, typeOid, type Value } from './env.ts';
import { MeaningError } from './error.ts';
import { couldBe } from './operators.ts';
import { judgeSetConfig } from './settings.ts';
import { isTransparent, tellsAbout } from './transparent.ts';
import { windowOver } from './window.ts';

/**
 * Function calls. Which overload the server would take depends on types that are only partly known here, so every
 * function that could be meant is judged, and the strictest reading counts.
 */
export function callFunction(body: Body<'FuncCall'>, env: Env): CallResult {
  env.unseen.delete(body);
  const parts = strings(body.funcname);
  const name = parts[parts.length - 1] ?? '';
  const args = (body.args ?? []).map((arg) => env.rules.value(arg, env));
  for (const order of body.agg_order ?? []) {
    const value = env.rules.value(order, env);
    if (body.agg_within_group === true) args.push(value);
  }
  env.rules.filter(body.agg_filter, env, 'FILTER');
  if (body.over !== undefined) windowOver(body.over, env);
  const given = joinAllLabels(args.map((arg) => arg.labels));
  if (body.agg_distinct === true) env.tally.expose(given, 'counts distinct labelled values');
  const found = env.names.functions(parts);
  const fitting = nearest(
    found.candidates.filter((one) => fits(one, args.length, body) && acceptable(one, args, body, env)),
    args,
  );
  const fresh = found.fresh[0];
  if (fitting.length === 0 && fresh === undefined) {
    return { value: notation(parts, args, found.candidates.length > 0, env), columns: undefined, name, given };
  }
  let labels = given;
  if (fresh !== undefined) {
    env.tally.call(fresh);
    env.tally.scrub = true;
    labels = allLabels(env);
  }
  for (const one of fitting) labels = joinLabels(labels, judge(one, body.args ?? [], args, given, env));
  if (fitting.some((one) => one.returnsSet)) env.tally.expose(given, 'makes rows out of a labelled value');
  env.tally.read(labels);
  const returned = fitting[0]?.returnType ?? typeOid.unknownYet;
  const type = fitting.every((one) => one.returnType === returned) ? returned : typeOid.unknownYet;
  const constant =
    args.every((arg) => arg.constant) && fitting.every((one) => one.kind === 'function') && fresh === undefined;
  return {
    value: { labels, constant, type: concrete(type, env), ...sameQuestion(name, fitting, args) },
    columns: resultColumns(fitting, name, env),
    name,
    given,
  };
}

/** lower(column) = lower($1) asks what column = $1 asks. Of other types than text, lower is the bound of a range. */
function sameQuestion(
  name: string,
  fitting: readonly CatalogFunction[],
  args: readonly Value[],
): Pick<Value, 'column' | 'whole'> {
  const [only] = args;
  if (only?.column === undefined || args.length !== 1 || (name !== 'lower' && name !== 'upper')) return {};
  if (only.type !== typeOid.text && only.type !== typeOid.varchar) return {};
  if (!fitting.every((one) => one.builtIn)) return {};
  return { column: only.column, ...(only.whole === true ? { whole: true as const } : {}) };
}

/** `(x).f`, `t.f` where f is no column: f(x) if there is such a function, else a field of a composite value. */
export function fieldCall(field: string, value: Value, env: Env): Value {
  const { candidates, fresh } = env.names.functions([field]);
  const fitting = candidates.filter((one) => fits(one, 1, undefined));
  let labels = value.labels;
  for (const one of fresh) {
    env.tally.call(one);
    labels = joinLabels(labels, allLabels(env));
  }
  for (const one of fitting) {
    if (!one.builtIn || classify(one) !== 'compute')
      labels = joinLabels(labels, judge(one, [], [value], value.labels, env));
  }
  env.tally.read(labels);
  env.tally.expose(
    fitting.length > 0 && !isTransparent(field) && value.row !== undefined ? value.labels : noLabels,
    `calls ${field} with a labelled value`,
  );
  return { labels, constant: value.constant, type: typeOid.unknownYet };
}

/** How many arguments a function takes, with defaults and VARIADIC. */
function fits(one: CatalogFunction, count: number, body: Body<'FuncCall'> | undefined): boolean {
  const most = one.args.length;
  if (one.variadic && body?.func_variadic !== true && count >= most - 1 - one.defaults) return true;
  // An aggregate's direct and aggregated arguments are written apart, and `count(*)` has none.
  if (body?.agg_within_group === true) return one.kind === 'aggregate';
  if (one.kind === 'procedure') return true;
  return count <= most && count >= most - one.defaults;
}

function acceptable(one: CatalogFunction, args: readonly Value[], body: Body<'FuncCall'>, env: Env): boolean {
  // Named arguments stand in any order, and what VARIADIC gathers is of the array's element type.
  if (args.length > 0 && (body.args ?? []).some((arg) => as(arg, 'NamedArgExpr') !== undefined)) return true;
  const gathers = one.variadic && body.func_variadic !== true;
  const last = one.args.length - 1;
  const asked = (at: number): number => {
    const type = one.args[Math.min(at, last)] ?? typeOid.unknownYet;
    return gathers && at >= last ? (env.ctx.catalog.typeByOid(type)?.element ?? typeOid.unknownYet) : type;
  };
  return args.every((arg, at) => last < 0 || couldBe(arg.type, asked(at), env));
}

/** Overloads that take exactly these types win over all others, where every type is known (typeconv-func, step 2). */
function nearest(fitting: readonly CatalogFunction[], args: readonly Value[]): readonly CatalogFunction[] {
  if (args.some((arg) => arg.type === typeOid.unknownYet || arg.type === typeOid.literal)) return fitting;
  const exact = fitting.filter(
    (one) => one.args.length === args.length && one.args.every((type, at) => type === args[at]?.type),
  );
  return exact.length > 0 ? exact : fitting;
}

/** What the result may carry, beyond its arguments, when this is the function called. */
function judge(one: CatalogFunction, nodes: readonly Node[], args: readonly Value[], given: Labels, env: Env): Labels {
  if (!one.builtIn) {
    if (one.schema !== 'information_schema') env.tally.call(one);
    env.tally.scrub = true;
    if (onlyComputes(one)) {
      env.tally.expose(tellsAbout(one, nodes, args, given), `computes with a labelled value by ${one.name}`);
      return noLabels;
    }
    env.tally.expose(given, `gives a labelled value to the function ${one.name}`);
    return allLabels(env);
  }
  switch (classify(one)) {
    case 'compute':
    case 'show':
      env.tally.expose(tellsAbout(one, nodes, args, given), `computes with a labelled value by ${one.name}`);
      return noLabels;
    case 'sequence':
      return sequence(one, nodes, given, env);
    case 'lock':
      env.tally.act('sql:lock');
      env.tally.mention(one);
      env.tally.expose(given, 'locks by a labelled value');
      return noLabels;
    case 'notify': {
      const channel = constantText(nodes[0]);
      env.tally.act('sql:notify', inTarget('Channel', env.ctx.target, channel ?? '*'));
      env.tally.mention(one);
      env.tally.expose(given, 'sends a labelled value as a notification');
      return noLabels;
    }
    case 'set_config':
      judgeSetConfig(constantText(nodes[0]), constantText(nodes[1]), env);
      env.tally.mention(one);
      env.tally.expose(given, 'keeps a labelled value in a setting');
      return noLabels;
    case 'reads_anything':
      env.tally.call(one);
      env.tally.scrub = true;
      if (runsSql.has(one.name)) env.tally.expose(allLabels(env), `runs SQL that is not seen into by ${one.name}`);
      return allLabels(env);
    case 'call':
      env.tally.call(one);
      env.tally.expose(given, `gives a labelled value to the function ${one.name}`);
      return noLabels;
  }
}

function sequence(one: CatalogFunction, nodes: readonly Node[], given: Labels, env: Env): Labels {
  env.tally.mention(one);
  env.tally.expose(given, 'sets a sequence by a labelled value');
  const text = constantText(nodes[0]);
  const parts = text === undefined ? undefined : identifierParts(text);
  const relation = parts === undefined ? undefined : env.names.relationOf(parts);
  if (relation?.kind !== 'sequence') env.tally.act('sql:sequence');
  else env.tally.relation('sql:sequence', relation);
  return noLabels;
}

/** The constant text of an argument, through casts such as `'x'::regclass`. */
export function constantText(node: Node | undefined): string | undefined {
  const cast = as(node, 'TypeCast');
  // A length cuts the text, and a name of an argument tells that it may stand in another's place.
  if (cast !== undefined) return (cast.typeName?.typmods ?? []).length > 0 ? undefined : constantText(cast.arg);
  return as(node, 'A_Const') === undefined ? undefined : optionText(node);
}

/** `public."Orders_id_seq"` as regclass reads it; undefined when it is no such name. */
function identifierParts(text: string): readonly string[] | undefined {
  const parts: string[] = [];
  const pattern = /\s*(?:"((?:[^"]|"")+)"|([A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*))\s*(\.|$)/y;
  while (pattern.lastIndex < text.length) {
    const found = pattern.exec(text);
    if (found === null) return undefined;
    parts.push(
      found[1] === undefined
        ? (found[2] ?? '').replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
        : found[1].replaceAll('""', '"'),
    );
    if (found[3] === '' && pattern.lastIndex < text.length) return undefined;
  }
  return parts.length > 0 ? parts : undefined;
}

/** No function by that name takes this: a column in function notation, or a cast in function notation. */
function notation(parts: readonly string[], args: readonly Value[], exists: boolean, env: Env): Value {
  const [only] = args;
  if (only !== undefined && args.length === 1) {
    if (only.row !== undefined || only.fields !== undefined) return { labels: only.labels, constant: false, type: 0 };
    const names = parts.map((sval) => ({ String: { sval } }));
    try {
      return castTo(only, { names }, env);
    } catch (error) {
      if (!(error instanceof MeaningError) || error.code !== 'undefined_type') throw error;
    }
  }
  const shown = parts.join('.');
  throw new MeaningError(
    'undefined_function',
    exists
      ? `function ${shown} does not take ${args.length} arguments of these types`
      : `function ${shown} does not exist`,
  );
}

/** A polymorphic result has a type that is not known here. */
function concrete(type: number, env: Env): number {
  return env.ctx.catalog.typeByOid(type)?.kind === 'pseudo' ? typeOid.unknownYet : type;
}

function signature(one: CatalogFunction): string {
  return one.outputs.map(({ name }) => name).join();
}

function resultColumns(fitting: readonly CatalogFunction[], name: string, env: Env): CallResult['columns'] {
  const [first] = fitting;
  if (first === undefined || fitting.some((one) => signature(one) !== signature(first))) return undefined;
  if (first.outputs.length > 1) return first.outputs.map((output) => ({ ...output, type: concrete(output.type, env) }));
  if (fitting.some((one) => one.returnType !== first.returnType)) {
    const types = fitting.map((one) => env.ctx.catalog.typeByOid(one.returnType));
    // Overloads with scalar results differ in type only; their single column has the function's name.
    if (types.some((type) => type === undefined || type.relation !== 0 || type.kind === 'pseudo')) return undefined;
    return [{ name, type: typeOid.unknownYet }];
  }
  const type = env.ctx.catalog.typeByOid(first.returnType);
  if (type === undefined || type.oid === typeOid.record) return undefined;
  if (type.relation !== 0) {
    const relation = env.ctx.catalog.relationByOid(type.relation);
    return relation?.columns.map((column) => ({ name: column.name, type: column.type }));
  }
  // Polymorphic (unnest of a composite array gives its fields).
  if (type.kind === 'pseudo') return undefined;
  return [{ name: first.outputs[0]?.name || name, type: first.returnType }];
}
