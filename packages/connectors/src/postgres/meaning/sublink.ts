import { joinAllLabels, noLabels } from '../../sql/label-set.ts';
import type { Body } from './ast.ts';
import { strings } from './ast.ts';
import { comparison } from './comparison.ts';
import { type Env, type Output, typeOid, type Value } from './env.ts';
import { MeaningError } from './error.ts';
import { callOperator } from './operators.ts';

/** A query inside an expression. */
export function sublinkValue(body: Body<'SubLink'>, env: Env): Value {
  env.unseen.delete(body);
  if (body.subselect === undefined) throw new MeaningError('unsupported', 'a subquery without a query');
  const test = body.testexpr === undefined ? undefined : env.rules.value(body.testexpr, env);
  const output = env.rules.query(body.subselect, env);
  switch (body.subLinkType) {
    case 'EXISTS_SUBLINK':
      // Whether there is a row follows from its filters, and those were judged where they stand.
      return { labels: noLabels, constant: false, type: typeOid.boolean, judged: true };
    case 'ANY_SUBLINK':
    case 'ALL_SUBLINK':
    case 'ROWCOMPARE_SUBLINK':
      return membership(body, test, output, env);
    case 'EXPR_SUBLINK':
    case 'ARRAY_SUBLINK':
    case 'MULTIEXPR_SUBLINK':
    case undefined: {
      const type = body.subLinkType === 'ARRAY_SUBLINK' ? typeOid.unknownYet : output.columns[0]?.type;
      const whole = body.subLinkType === 'EXPR_SUBLINK' && output.columns[0]?.computed === false;
      const value = { labels: outputLabels(output), constant: false, type: type ?? typeOid.unknownYet };
      return whole && output.open === undefined ? { ...value, whole } : value;
    }
    default:
      throw new MeaningError('unsupported', `the gateway does not understand the subquery form ${body.subLinkType}`);
  }
}

export function outputLabels(output: Output): readonly string[] {
  return joinAllLabels([...output.columns.map((column) => column.labels), output.open ?? noLabels]);
}

/** `x IN (SELECT …)` and its kin compare `x` with every row: equal to comparing with a column. */
function membership(body: Body<'SubLink'>, test: Value | undefined, output: Output, env: Env): Value {
  // IN leaves the operator's name out.
  const name = body.operName === undefined ? ['='] : strings(body.operName);
  const operator = name[name.length - 1] ?? '=';
  const tests = test?.fields ?? (test === undefined ? [] : [test]);
  let labels = outputLabels(output);
  tests.forEach((one, at) => {
    const column = output.columns[at];
    const other: Value =
      column === undefined || output.open !== undefined
        ? { labels, constant: false, type: typeOid.unknownYet }
        : { labels: column.labels, constant: false, type: column.type, column };
    callOperator(name, one.type, other.type, env);
    labels = joinAllLabels([labels, comparison(operator, one, other, env).labels]);
  });
  return { labels, constant: false, type: typeOid.boolean, judged: true };
}
