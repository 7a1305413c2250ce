import { joinLabels } from '../../sql/label-set.ts';
import type { Body, Node } from './ast.ts';
import { strings } from './ast.ts';
import { comparison } from './comparison.ts';
import { type Env, typeOid, type Value, withScope } from './env.ts';
import { MeaningError } from './error.ts';
import { callOperator } from './operators.ts';
import { type ScopeColumn, type Source, scopeOf } from './scope.ts';

interface Item {
  readonly sources: readonly Source[];
  readonly star: readonly ScopeColumn[];
}

/** JOIN: USING and NATURAL compare columns and merge them; an alias on the join hides what is inside. */
export function joined(
  body: Body<'JoinExpr'>,
  env: Env,
  before: readonly Source[],
  fromItem: (node: Node, env: Env, before: readonly Source[]) => Item,
): Item {
  if (body.larg === undefined || body.rarg === undefined) throw new MeaningError('unsupported', 'a join with one side');
  const left = fromItem(body.larg, env, before);
  const right = fromItem(body.rarg, env, [...before, ...left.sources]);
  const shared =
    body.isNatural === true
      ? left.star.filter((one) => right.star.some((other) => other.name === one.name)).map((column) => column.name)
      : strings(body.usingClause);
  if (body.isNatural === true && [...left.sources, ...right.sources].some((source) => source.open !== undefined)) {
    throw new MeaningError('unsupported', 'NATURAL JOIN over a relation whose columns are not known');
  }
  const merged = shared.map((name) => merge(name, left, right, env));
  const scope = scopeOf([...left.sources, ...right.sources], [...left.star, ...right.star], env.scope);
  env.rules.filter(body.quals, withScope(env, scope), 'JOIN');
  const rest = (item: Item): readonly ScopeColumn[] => item.star.filter((column) => !shared.includes(column.name));
  const star = [...merged, ...rest(left), ...rest(right)];
  if (body.alias !== undefined) {
    const names = strings(body.alias.colnames);
    const columns = star.map((column, at) => ({ ...column, name: names[at] ?? column.name }));
    return { sources: [{ alias: body.alias.aliasname ?? '', columns, merged: new Set() }], star: columns };
  }
  const hide = (source: Source): Source => ({ ...source, merged: new Set([...source.merged, ...shared]) });
  const sources = [...left.sources, ...right.sources].map(hide);
  if (merged.length > 0) {
    sources.push({ alias: body.join_using_alias?.aliasname ?? '', columns: merged, merged: new Set() });
  }
  return { sources, star };
}

function merge(name: string, left: Item, right: Item, env: Env): ScopeColumn {
  const [one, other] = [reachable(left, name), reachable(right, name)];
  const asValue = (column: ScopeColumn): Value => ({
    labels: column.labels,
    constant: false,
    type: column.type,
    column,
  });
  callOperator(['='], one.type, other.type, env);
  comparison('=', asValue(one), asValue(other), env);
  for (const column of [one, other]) {
    if (column.path !== undefined) env.tally.column(column.path, column.labels);
    else env.tally.read(column.labels);
  }
  // An outer join merges by COALESCE, so nobody says which table it came from.
  return {
    name,
    labels: joinLabels(one.labels, other.labels),
    type: one.type === other.type ? one.type : typeOid.unknownYet,
    direct: false,
    computed: one.computed === true || other.computed === true,
  };
}

function reachable(item: Item, name: string): ScopeColumn {
  const column = item.star.find((candidate) => candidate.name === name);
  if (column !== undefined) return column;
  const open = item.sources.find((source) => source.open !== undefined)?.open;
  if (open !== undefined) return { name, labels: open, type: 0, direct: false, computed: true };
  throw new MeaningError('undefined_column', `column "${name}" specified in USING clause does not exist`);
}
