import { joinLabels } from '../../sql/label-set.ts';
import type { Body } from './ast.ts';
import { type Env, nothing, typeOid, type Value } from './env.ts';
import { MeaningError } from './error.ts';
import { madeAs } from './type-code.ts';

/** Types that any value can be written as without ever failing. */
const roomy: ReadonlySet<number> = new Set([typeOid.text, typeOid.varchar, typeOid.char, typeOid.name]);

export function castValue(body: Body<'TypeCast'>, env: Env): Value {
  env.unseen.delete(body);
  const arg = body.arg === undefined ? nothing : env.rules.value(body.arg, env);
  if (body.typeName === undefined) throw new MeaningError('unsupported', 'a cast without a type');
  return castTo(arg, body.typeName, env);
}

export function castTo(arg: Value, name: Body<'TypeName'>, env: Env): Value {
  const isArray = (name.arrayBounds ?? []).length > 0;
  const type = env.names.type(name);
  const plain = { labels: arg.labels, constant: arg.constant, type: isArray ? 0 : (type?.oid ?? 0) };
  if (type === undefined) {
    env.tally.scrub = true;
    env.tally.expose(arg.labels, 'casts a labelled value to a type made in this transaction');
    return plain;
  }
  const labels = joinLabels(arg.labels, madeAs(type, arg.type, env));
  const same = arg.type === type.oid && arg.type !== typeOid.unknownYet;
  if (!isArray && (roomy.has(type.oid) || same)) {
    // Without a length the value stays what it is, and comparing it asks the same question.
    const whole = arg.whole === true && (name.typmods ?? []).length === 0 ? { whole: true as const } : {};
    const unchanged = (name.typmods ?? []).length === 0 && type.oid !== typeOid.char && type.oid !== typeOid.name;
    return unchanged && arg.column !== undefined && (arg.type === type.oid || isText(arg.type, type.oid))
      ? { ...plain, ...whole, labels, column: arg.column }
      : { ...plain, ...whole, labels };
  }
  // Whether a cast succeeds, and what its error quotes, tells about the value.
  env.tally.expose(labels, 'casts a labelled value to another type');
  return { ...plain, labels };
}

function isText(given: number, wanted: number): boolean {
  const texts: readonly number[] = [typeOid.text, typeOid.varchar];
  return texts.includes(given) && texts.includes(wanted);
}
