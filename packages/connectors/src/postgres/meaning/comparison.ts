import { joinLabels, type Labels, sameLabels } from '../../sql/label-set.ts';
import type { Body } from './ast.ts';
import { items, strings } from './ast.ts';
import { type Env, nothing, typeOid, type Value } from './env.ts';
import { MeaningError } from './error.ts';
import { callOperator, callOperatorOn } from './operators.ts';
import type { ScopeColumn } from './scope.ts';

/**
 * Operators. Comparing a labelled value answers a question about it, even when the value itself comes back masked; what
 * may be asked is whether it equals something the client already has, or another column with the same labels.
 */

/** Operators that never fail and whose result is at most what their operands hold. */
const transparent: ReadonlySet<string> = new Set(['||', '->', '->>', '#>', '#>>']);

export function operation(body: Body<'A_Expr'>, env: Env): Value {
  env.unseen.delete(body);
  const name = strings(body.name);
  const operator = name[name.length - 1] ?? '';
  const left = body.lexpr === undefined ? undefined : env.rules.value(body.lexpr, env);
  const rights = items(body.rexpr).map((node) => env.rules.value(node, env));
  const right = rights[0] ?? nothing;
  switch (body.kind) {
    case 'AEXPR_OP':
      if (rights.length > 1) return ordered(left, rights, operator, env);
      return plain(name, left, right, env);
    case 'AEXPR_OP_ANY':
    case 'AEXPR_OP_ALL':
    case 'AEXPR_DISTINCT':
    case 'AEXPR_NOT_DISTINCT':
      callOperator(name, left?.type ?? 0, body.kind.startsWith('AEXPR_OP') ? typeOid.literal : right.type, env);
      return comparison(operator, left ?? nothing, right, env);
    case 'AEXPR_IN': {
      let result: Value = { ...nothing, type: typeOid.boolean, judged: true };
      for (const one of rights) {
        callOperatorOn(name, left ?? nothing, one, env);
        const test = comparison(operator, left ?? nothing, one, env);
        result = both(result, test);
      }
      return result;
    }
    case 'AEXPR_NULLIF': {
      callOperator(name, left?.type ?? 0, right.type, env);
      const test = comparison('=', left ?? nothing, right, env);
      return { labels: test.labels, constant: test.constant, type: left?.type === right.type ? right.type : 0 };
    }
    case 'AEXPR_LIKE':
    case 'AEXPR_ILIKE':
    case 'AEXPR_SIMILAR':
      callOperator(name, left?.type ?? 0, right.type, env);
      return ordered(left, rights, operator, env);
    case 'AEXPR_BETWEEN':
    case 'AEXPR_NOT_BETWEEN':
    case 'AEXPR_BETWEEN_SYM':
    case 'AEXPR_NOT_BETWEEN_SYM':
      for (const one of rights) {
        for (const bound of ['<', '<=', '>', '>=']) callOperator([bound], left?.type ?? 0, one.type, env);
      }
      return ordered(left, rights, 'BETWEEN', env);
    default:
      throw new MeaningError('unsupported', `the gateway does not understand the operator form ${body.kind}`);
  }
}

function plain(name: readonly string[], left: Value | undefined, right: Value, env: Env): Value {
  const operator = name[name.length - 1] ?? '';
  const called = left === undefined ? callOperator(name, -1, right.type, env) : callOperatorOn(name, left, right, env);
  const result =
    operator === '=' || operator === '<>'
      ? comparison(operator, left ?? nothing, right, env)
      : transparent.has(operator)
        ? chosen(operator, left ?? nothing, right, env)
        : ordered(left, [right], operator, env);
  if (called === undefined) return result;
  const { constant, type } = result;
  return { labels: joinLabels(result.labels, called), constant, type };
}

function both(a: Value, b: Value): Value {
  const value: Value = {
    labels: joinLabels(a.labels, b.labels),
    constant: a.constant && b.constant,
    type: a.type === typeOid.text && b.type === typeOid.text ? typeOid.text : typeOid.unknownYet,
  };
  const judged = (one: Value): boolean => one.judged === true || one.labels.length === 0;
  return judged(a) && judged(b) && (a.judged === true || b.judged === true) ? { ...value, judged: true } : value;
}

/** A labelled key or path chooses what comes back, and how much of it there is shows in more ways than by its value. */
function chosen(operator: string, left: Value, right: Value, env: Env): Value {
  if (operator !== '||') env.tally.expose(right.labels, `looks up a labelled value by ${operator}`);
  return both(left, right);
}

/** Anything that computes with a labelled value or puts it in an order: each answer, or failure, tells about it. */
function ordered(left: Value | undefined, rights: readonly Value[], operator: string, env: Env): Value {
  const values = left === undefined ? rights : [left, ...rights];
  const labels = values.reduce<Labels>((sum, value) => joinLabels(sum, value.labels), []);
  env.tally.expose(labels, `computes or compares with a labelled value by ${operator}`);
  return { labels, constant: values.every((value) => value.constant), type: resultType(operator, values) };
}

/** Types whose operators, between two of them, give the same type again; the difference of two dates is none. */
const closedUnder: ReadonlySet<number> = new Set([typeOid.integer, typeOid.bigint, typeOid.numeric]);

function resultType(operator: string, values: readonly Value[]): number {
  if (/[<>=~]/.test(operator) || operator === 'BETWEEN') return typeOid.boolean;
  const [first] = values;
  const closed = first !== undefined && closedUnder.has(first.type);
  return closed && values.every((value) => value.type === first.type) ? first.type : typeOid.unknownYet;
}

/** A value as it is stored: a part of it would be found out by asking for one part after the other. */
function isStored(column: ScopeColumn | undefined): boolean {
  return column?.direct === true && column.computed !== true;
}

/** `=`, `<>`, IN, IS DISTINCT FROM, NULLIF, CASE x WHEN. */
export function comparison(operator: string, left: Value, right: Value, env: Env): Value {
  const labels = joinLabels(left.labels, right.labels);
  const result: Value = { labels, constant: left.constant && right.constant, type: typeOid.boolean, judged: true };
  if (labels.length === 0) return result;
  if (operator !== '=' && operator !== '<>') {
    env.tally.expose(labels, `compares a labelled value by ${operator}`);
    return result;
  }
  if (left.fields !== undefined && right.fields?.length === left.fields.length) {
    left.fields.forEach((field, at) => {
      comparison(operator, field, right.fields?.[at] ?? nothing, env);
    });
    return result;
  }
  const asked = (column: Value, other: Value): boolean =>
    isStored(column.column) && (other.constant || (isStored(other.column) && sameLabels(column.labels, other.labels)));
  if (!asked(left, right) && !asked(right, left)) {
    env.tally.expose(
      labels,
      'compares a labelled value with something other than a constant or a column of the same label',
    );
  }
  return result;
}
