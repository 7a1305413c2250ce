import { noLabels } from '../../sql/label-set.ts';
import type { Body } from './ast.ts';
import { as, optionText } from './ast.ts';
import type { Env, StatementResult } from './env.ts';
import { MeaningError } from './error.ts';
import { relationResource } from './objects.ts';
import { done, type StatementRules } from './rules.ts';
import { setAside } from './sweep.ts';
import { writes } from './target-table.ts';

/** EXPLAIN, CALL and DO, which carry something else that runs; LOCK and upkeep of tables. */
export const carrierRules: StatementRules = {
  ExplainStmt: explain,
  CallStmt: call,
  DoStmt: (_, env) => {
    env.tally.act('sql:do');
    env.tally.scrub = true;
    // It may write, send or compare anything it reads.
    env.tally.expose(env.ctx.labels.all(env.ctx.target), 'runs a block of code that is not seen into');
    return done;
  },
  LockStmt: (body, env) => relations(body.relations, 'sql:lock', env),
  TruncateStmt: truncate,
  VacuumStmt: vacuum,
  ClusterStmt: maintainOne,
  ReindexStmt: maintainOne,
  RefreshMatViewStmt: maintainOne,
  CheckPointStmt: (body, env) => {
    void body;
    env.tally.act('sql:maintain');
    return done;
  },
  LoadStmt: (body, env) => {
    void body;
    env.tally.act('sql:create');
    env.tally.effect({ kind: 'ddl' });
    return done;
  },
};

function explain(body: Body<'ExplainStmt'>, env: Env): StatementResult {
  if (body.query === undefined) throw new MeaningError('unsupported', 'an EXPLAIN without a statement');
  const runs = (body.options ?? []).some((node) => {
    const option = as(node, 'DefElem');
    return option?.defname === 'analyze' && !isOff(optionText(option.arg));
  });
  const before = env.tally.effects.length;
  env.rules.nested(body.query, env);
  // Only planned: what the statement would change stays as it is.
  if (!runs) env.tally.effects.length = before;
  env.tally.act('sql:explain');
  // A plan shows the client's own constants, names and estimates. A user's immutable function, though, is run while
  // planning and its result shown, and such a statement carries every label.
  const labels = env.tally.callsUnseen ? env.tally.labels : noLabels;
  return {
    output: { columns: [] },
    expressionLabels: labels,
  };
}

function isOff(text: string | undefined): boolean {
  return text !== undefined && ['false', 'off', '0'].includes(text.toLowerCase());
}

function call(body: Body<'CallStmt'>, env: Env): StatementResult {
  if (body.funccall === undefined) throw new MeaningError('unsupported', 'a CALL without a procedure');
  const { value } = env.rules.call(body.funccall, env);
  return { output: { columns: [{ name: '', labels: value.labels, type: 0, direct: false, computed: true }] } };
}

function relations(nodes: readonly object[] | undefined, verb: 'sql:lock', env: Env): StatementResult {
  for (const node of nodes ?? []) {
    const range = 'RangeVar' in node ? (node.RangeVar as Body<'RangeVar'>) : undefined;
    if (range === undefined) throw new MeaningError('unsupported', 'an odd list of tables');
    env.unseen.delete(range);
    const relation = env.names.relation(range);
    env.tally.relation(verb, relation);
    env.rules.behind(relation, env);
  }
  return done;
}

function truncate(body: Body<'TruncateStmt'>, env: Env): StatementResult {
  for (const node of body.relations ?? []) {
    const range = as(node, 'RangeVar');
    if (range === undefined) throw new MeaningError('unsupported', 'an odd list of tables');
    env.unseen.delete(range);
    writes(env.names.relation(range), 'sql:truncate', env);
  }
  // CASCADE goes on to tables that only the server knows: an action on all of the target.
  if (body.behavior === 'DROP_CASCADE') env.tally.act('sql:truncate');
  return done;
}

function vacuum(body: Body<'VacuumStmt'>, env: Env): StatementResult {
  for (const node of body.rels ?? []) {
    const range = as(node, 'VacuumRelation')?.relation;
    if (range === undefined) throw new MeaningError('unsupported', 'an odd list of tables');
    env.unseen.delete(range);
    env.tally.act('sql:maintain', relationResource(range, env));
    const relation = env.names.relation(range);
    env.tally.touch(relation);
    env.rules.behind(relation, env);
  }
  if ((body.rels ?? []).length === 0) env.tally.act('sql:maintain');
  // VERBOSE tells numbers of rows and pages, no values.
  return body.is_vacuumcmd === true ? done : { kind: 'analyze' };
}

function maintainOne(
  body: Body<'ClusterStmt'> | Body<'ReindexStmt'> | Body<'RefreshMatViewStmt'>,
  env: Env,
): StatementResult {
  if (body.relation === undefined) {
    setAside(body, env);
    env.tally.act('sql:maintain');
    return done;
  }
  env.unseen.delete(body.relation);
  env.tally.act('sql:maintain', relationResource(body.relation, env));
  const relation = env.names.relation(body.relation);
  env.tally.touch(relation);
  env.rules.behind(relation, env);
  return done;
}
