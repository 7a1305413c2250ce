import { joinAllLabels, type Labels, noLabels } from '../../sql/label-set.ts';
import type { Body, Node } from './ast.ts';
import { as, kindOf, strings } from './ast.ts';
import { castValue } from './cast.ts';
import { columnValue } from './column.ts';
import { comparison, operation } from './comparison.ts';
import { type Env, isComputed, nothing, typeOid, type Value, type ValueRules } from './env.ts';
import { MeaningError } from './error.ts';
import { fieldCall } from './functions.ts';
import { jsonRules } from './json.ts';
import { callOperator, callOperatorOn } from './operators.ts';
import { sublinkValue } from './sublink.ts';

/**
 * What an expression gives: which labels its value may carry, and whether using it tells more than the value itself.
 * Every kind of node the grammar puts into an expression has its rule here; any other is refused.
 */
export function expressionValue(node: Node, env: Env): Value {
  const kind = kindOf(node);
  const rule = rules[kind] as ((body: unknown, env: Env) => Value) | undefined;
  if (rule === undefined) {
    throw new MeaningError('unsupported', `the gateway does not understand ${kind} in an expression and refuses it`);
  }
  return rule((node as Readonly<Record<string, unknown>>)[kind], env);
}

export function combine(values: readonly Value[], type: number = typeOid.unknownYet): Value {
  return {
    labels: joinAllLabels(values.map((value) => value.labels)),
    constant: values.every((value) => value.constant),
    type,
  };
}

function each(nodes: readonly (Node | undefined)[] | undefined, env: Env): Value[] {
  return (nodes ?? []).flatMap((node) => (node === undefined ? [] : expressionValue(node, env)));
}

/** Whichever of these it is, it is a stored value or something unlabelled. */
function oneOf(values: readonly Value[]): Value {
  const value = combine(values, firstType(values));
  return values.some(isComputed) ? value : { ...value, whole: true };
}

function firstType(values: readonly Value[]): number {
  const types = new Set(values.map((value) => value.type).filter((type) => type !== typeOid.literal));
  // Of several the server chooses one (10.5).
  const [only = typeOid.literal] = types;
  return types.size > 1 ? typeOid.unknownYet : only;
}

/** The scanner hands over as a float what fits no int4; the analyser makes it int8 where it can (make_const, parse_node.c). */
function floatType(text: string): number {
  return /^\d{1,18}$/.test(text) ? typeOid.bigint : /^\d*\.\d*$/.test(text) ? typeOid.numeric : typeOid.unknownYet;
}

function constantType(body: Body<'A_Const'>): number {
  if (body.ival !== undefined) return typeOid.integer;
  if (body.fval !== undefined) return floatType(body.fval.fval ?? '');
  if (body.boolval !== undefined) return typeOid.boolean;
  if (body.bsval !== undefined) return 1560;
  return typeOid.literal;
}

/** What the labels of a value tell when it decides between branches or is compared in a way nobody sees. */
export function tells(labels: Labels, env: Env, reason: string): void {
  env.tally.expose(labels, reason);
}

function caseValue(body: Body<'CaseExpr'>, env: Env): Value {
  const arg = body.arg === undefined ? undefined : expressionValue(body.arg, env);
  const results: Value[] = [];
  const tests: Labels[] = [];
  for (const node of body.args ?? []) {
    const when = as(node, 'CaseWhen');
    if (when?.expr === undefined || when.result === undefined) throw new MeaningError('unsupported', 'an odd CASE');
    if (arg === undefined) {
      const test = expressionValue(when.expr, env);
      if (test.judged !== true) tells(test.labels, env, 'decides a CASE by a labelled value');
      tests.push(test.labels);
    } else {
      const value = expressionValue(when.expr, env);
      callOperatorOn(['='], arg, value, env);
      const test = comparison('=', arg, value, env);
      tests.push(test.labels);
    }
    results.push(expressionValue(when.result, env));
  }
  if (body.defresult !== undefined) results.push(expressionValue(body.defresult, env));
  const value = oneOf(results);
  return { ...value, labels: joinAllLabels([value.labels, ...tests]), constant: value.constant && arg === undefined };
}

function indirectionValue(body: Body<'A_Indirection'>, env: Env): Value {
  if (body.arg === undefined) throw new MeaningError('unsupported', 'an odd field selection');
  let value = expressionValue(body.arg, env);
  for (const step of body.indirection ?? []) {
    const field = as(step, 'String');
    if (field !== undefined) value = fieldCall(field.sval ?? '', value, env);
    const index = as(step, 'A_Indices');
    if (index !== undefined) {
      const bounds = each([index.lidx, index.uidx], env);
      tells(joinAllLabels(bounds.map((bound) => bound.labels)), env, 'looks up by a labelled value');
      value = combine([value, ...bounds]);
    }
    if (as(step, 'A_Star') !== undefined) value = combine([value]);
  }
  const { labels, constant, type } = value;
  return { labels, constant, type };
}

function boolValue(body: Body<'BoolExpr'>, env: Env): Value {
  const args = each(body.args, env);
  const value = combine(args, typeOid.boolean);
  return args.every((arg) => arg.judged === true || arg.labels.length === 0) ? { ...value, judged: true } : value;
}

function nullTest(body: Body<'NullTest'>, env: Env): Value {
  const arg = body.arg === undefined ? nothing : expressionValue(body.arg, env);
  const { labels, constant } = arg;
  const value: Value = { labels, constant, type: typeOid.boolean };
  const stored = arg.column?.direct === true && arg.column.computed !== true;
  return !stored && labels.length > 0 ? value : { ...value, judged: true };
}

function greatest(body: Body<'MinMaxExpr'>, env: Env): Value {
  const args = each(body.args, env);
  const value = combine(args, firstType(args));
  tells(value.labels, env, 'compares a labelled value (GREATEST or LEAST)');
  return value;
}

function arrayValue(body: Body<'A_ArrayExpr'>, env: Env): Value {
  return combine(each(body.elements, env));
}

function xmlValue(body: Body<'XmlExpr'>, env: Env): Value {
  const value = combine([...each(body.named_args, env), ...each(body.args, env)]);
  if (body.op === 'IS_XMLPARSE' || body.op === 'IS_DOCUMENT')
    tells(value.labels, env, 'parses a labelled value as XML');
  return value;
}

/** CURRENT_DATE and its kin; the others give names. */
function clockOrName(op: string): number {
  if (op === 'SVFOP_CURRENT_DATE') return typeOid.date;
  return /TIME/.test(op) ? typeOid.unknownYet : typeOid.name;
}

const rules: ValueRules = {
  ...jsonRules,
  A_Const: (body) => ({ ...nothing, type: constantType(body) }),
  ParamRef: () => nothing,
  SetToDefault: () => nothing,
  CurrentOfExpr: () => ({ labels: noLabels, constant: false, type: typeOid.boolean, judged: true }),
  SQLValueFunction: (body) => ({ labels: noLabels, constant: true, type: clockOrName(body.op ?? '') }),
  MergeSupportFunc: () => ({ labels: noLabels, constant: false, type: typeOid.text }),
  ColumnRef: columnValue,
  A_Expr: operation,
  BoolExpr: boolValue,
  SubLink: sublinkValue,
  CaseExpr: caseValue,
  CoalesceExpr: (body, env) => {
    const args = each(body.args, env);
    return oneOf(args);
  },
  MinMaxExpr: greatest,
  NullTest: nullTest,
  BooleanTest: (body, env) => combine(each([body.arg], env), typeOid.boolean),
  RowExpr: (body, env) => {
    const fields = each(body.args, env);
    return { ...combine(fields, typeOid.record), fields };
  },
  A_ArrayExpr: arrayValue,
  A_Indirection: indirectionValue,
  CollateClause: (body, env) => combine(each([body.arg], env), typeOid.unknownYet),
  TypeCast: castValue,
  FuncCall: (body, env) => env.rules.call(body, env).value,
  NamedArgExpr: (body, env) => combine(each([body.arg], env)),
  GroupingFunc: (body, env) => {
    each(body.args, env);
    return { labels: noLabels, constant: false, type: typeOid.integer };
  },
  XmlExpr: xmlValue,
  XmlSerialize: (body, env) => combine(each([body.expr], env), typeOid.text),
  ResTarget: (body, env) => combine(each([body.val], env)),
  MultiAssignRef: (body, env) => combine(each([body.source], env)),
  List: (body, env) => {
    const fields = each(body.items, env);
    return { ...combine(fields), fields };
  },
  SortBy: (body, env) => {
    const value = combine(each([body.node], env));
    tells(value.labels, env, 'orders by a labelled value');
    if (body.useOp !== undefined) callOperator(strings(body.useOp), typeOid.unknownYet, typeOid.unknownYet, env);
    return value;
  },
  String: () => nothing,
  Integer: () => nothing,
};
