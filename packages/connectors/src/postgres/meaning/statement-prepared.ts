import { noLabels } from '../../sql/label-set.ts';
import type { SqlVerb } from '../../sql/verbs.ts';
import { sqlVerbs } from '../../sql/verbs.ts';
import { admit } from './admit.ts';
import type { Body, Node } from './ast.ts';
import type { Env, StatementResult } from './env.ts';
import { MeaningError } from './error.ts';
import { parse, preparedText } from './grammar.ts';
import { done, type StatementRules } from './rules.ts';
import type { StatementMeaning } from './statement.ts';
import { setAside } from './sweep.ts';

/** Prepared statements and cursors: a name stands for a query, and means whatever that query means when it runs. */
export const preparedRules: StatementRules = {
  PrepareStmt: prepare,
  ExecuteStmt: execute,
  DeallocateStmt: (body, env) => {
    env.tally.act('sql:session');
    env.tally.effect({ kind: 'deallocate', name: body.isall === true || body.name === undefined ? 'all' : body.name });
    return done;
  },
  DeclareCursorStmt: declare,
  FetchStmt: fetch,
  ClosePortalStmt: (body, env) => {
    env.tally.act('sql:session');
    env.tally.effect({ kind: 'close_cursor', name: body.portalname ?? 'all' });
    return done;
  },
};

/** CURSOR_OPT_HOLD (parsenodes.h). */
const holdOption = 0x20;

function prepare(body: Body<'PrepareStmt'>, env: Env): StatementResult {
  if (body.query === undefined) throw new MeaningError('unsupported', 'a PREPARE without a query');
  const source = preparedText(env.text);
  const query = env.rules.alone(body.query, source, env);
  setAside(body.query, env);
  // Preparing runs nothing, but asks the same: a statement that would be refused is refused before it has a name.
  take(query, env);
  env.tally.nested = true;
  env.tally.effect({ kind: 'prepare', name: body.name ?? '', source, query });
  return { expressionLabels: query.expressionLabels };
}

function execute(body: Body<'ExecuteStmt'>, env: Env): StatementResult {
  const name = body.name ?? '';
  const source = env.ctx.prepared(name);
  if (source === undefined) {
    throw new MeaningError('undefined_prepared', `prepared statement "${name}" does not exist`);
  }
  for (const param of body.params ?? []) {
    const value = env.rules.value(param, env);
    env.tally.expose(value.labels, 'gives a labelled value as a parameter');
  }
  // Understood again under the names of now: the server plans it again when search_path or a definition has changed.
  const result = env.rules.nested(preparedQuery(source.text, env), env);
  return { ...result, kind: 'execute', text: `${env.text}\n/* ${name} is */ ${source.text.trim()}` };
}

function preparedQuery(text: string, env: Env): Node {
  const [only, ...more] = parse(text);
  if (only === undefined || more.length > 0) {
    throw new MeaningError('undefined_prepared', 'the prepared statement is not one statement');
  }
  for (const node of admit(only.node).unseen) env.unseen.add(node);
  return only.node;
}

function declare(body: Body<'DeclareCursorStmt'>, env: Env): StatementResult {
  if (body.query === undefined) throw new MeaningError('unsupported', 'a cursor without a query');
  const query = env.rules.alone(body.query, env.text, env);
  setAside(body.query, env);
  take(query, env);
  env.tally.effect({
    kind: 'declare_cursor',
    name: body.portalname ?? '',
    hold: ((body.options ?? 0) & holdOption) !== 0,
    query,
  });
  return done;
}

function fetch(body: Body<'FetchStmt'>, env: Env): StatementResult {
  const name = body.portalname ?? '';
  const query = env.ctx.cursor(name);
  if (query === undefined) throw new MeaningError('undefined_cursor', `cursor "${name}" does not exist`);
  take(query, env);
  const moves = body.ismove === true;
  return {
    kind: moves ? 'move' : 'fetch',
    output: moves ? undefined : { columns: [] },
    expressionLabels: moves ? noLabels : query.expressionLabels,
    text: `${env.text}\n/* ${name} is */ ${query.text}`,
  };
}

/** The meaning of the query becomes part of this statement's. */
function take(query: StatementMeaning, env: Env): void {
  const { tally } = env;
  tally.read(query.labels);
  if (query.scrubErrors) tally.scrub = true;
  for (const exposure of query.exposures) tally.expose(exposure.labels, exposure.reason);
  for (const action of query.actions) {
    const verb = knownVerb(action.verb);
    for (const resource of action.resources) tally.act(verb, resource);
    if (action.context['has_where'] === false) tally.unbounded(verb);
    tally.merge(action.context);
  }
  tally.computesOnly = false;
  for (const oid of query.relations) {
    const relation = env.ctx.catalog.relationByOid(oid);
    if (relation !== undefined) tally.touch(relation);
  }
}

function knownVerb(verb: string): SqlVerb {
  if (!Object.hasOwn(sqlVerbs, verb)) throw new MeaningError('unsupported', `unknown verb ${verb}`);
  return verb as SqlVerb;
}
