import { joinLabels } from '../../sql/label-set.ts';
import type { Relation } from '../catalog/catalog.ts';
import type { Body, Node } from './ast.ts';
import { as, strings } from './ast.ts';
import { made } from './ddl-effect.ts';
import { deleteOutput, insertOutput, mergeOutput, updateOutput } from './dml.ts';
import type { Env, Output, StatementResult } from './env.ts';
import { MeaningError } from './error.ts';
import { relationResource } from './objects.ts';
import { done, type StatementRules } from './rules.ts';
import { assign } from './target-table.ts';

/** Statements that are queries, and those that store a query or its rows: SELECT INTO, CREATE TABLE AS, CREATE VIEW. */
export const queryRules: StatementRules = {
  SelectStmt: select,
  InsertStmt: (body, env) => ({ output: insertOutput(body, env) }),
  UpdateStmt: (body, env) => ({ output: updateOutput(body, env) }),
  DeleteStmt: (body, env) => ({ output: deleteOutput(body, env) }),
  MergeStmt: (body, env) => ({ output: mergeOutput(body, env) }),
  CreateTableAsStmt: createTableAs,
  ViewStmt: createView,
};

function select(body: Body<'SelectStmt'>, env: Env): StatementResult {
  const limit = body.limitCount;
  env.tally.hasLimit = limit !== undefined && as(limit, 'A_Const')?.isnull !== true;
  const into = leftmostInto(body);
  if (into === undefined) return { output: env.rules.select(body, env) };
  env.unseen.delete(body);
  const output = env.rules.select(withoutInto(body), env);
  clearUnseen(body, env);
  store(into, output, 'table', false, env);
  return { kind: 'select_into' };
}

/** INTO may stand in the first SELECT of a set operation. */
function leftmostInto(body: Body<'SelectStmt'>): Body<'IntoClause'> | undefined {
  for (let one: Body<'SelectStmt'> | undefined = body; one !== undefined; one = one.larg) {
    if (one.intoClause !== undefined) return one.intoClause;
  }
  return undefined;
}

function withoutInto(body: Body<'SelectStmt'>): Body<'SelectStmt'> {
  const { intoClause: _, larg, ...rest } = body;
  return larg === undefined ? rest : { ...rest, larg: withoutInto(larg) };
}

/** The copies made above stand for the nodes that were to be seen. */
function clearUnseen(body: Body<'SelectStmt'>, env: Env): void {
  for (let one: Body<'SelectStmt'> | undefined = body; one !== undefined; one = one.larg) env.unseen.delete(one);
}

function createTableAs(body: Body<'CreateTableAsStmt'>, env: Env): StatementResult {
  if (body.query === undefined || body.into === undefined)
    throw new MeaningError('unsupported', 'an odd CREATE TABLE AS');
  const { output } = env.rules.nested(body.query, env);
  const materialized = body.objtype === 'OBJECT_MATVIEW';
  store(
    body.into,
    output ?? { columns: [] },
    materialized ? 'materialized_view' : 'table',
    body.if_not_exists === true,
    env,
  );
  return materialized ? { kind: 'create_materialized_view' } : done;
}

function store(
  into: Body<'IntoClause'>,
  output: Output,
  kind: 'table' | 'materialized_view',
  ifNotExists: boolean,
  env: Env,
): void {
  const range = into.rel;
  if (range === undefined) throw new MeaningError('unsupported', 'a table without a name');
  env.unseen.delete(range);
  const schema = env.names.creationSchema(range);
  const resource = relationResource({ ...range, schemaname: range.schemaname ?? schema }, env);
  env.tally.act('sql:create', resource);
  env.tally.computesOnly = false;
  const names = strings(into.colNames);
  const name = range.relname ?? '';
  if (output.open !== undefined) env.tally.expose(output.open, `stores labelled values in ${name}`);
  output.columns.forEach((column, at) => {
    const own = names[at] ?? column.name;
    const labels = env.ctx.labels.of(env.ctx.target, [schema, name, own]);
    assign(
      { name: own, labels, type: 0, direct: true, path: `${schema}.${name}.${own}` },
      column.labels,
      column.computed !== false,
      env,
    );
  });
  record({ schema, name, kind, ifNotExists }, output, names, env);
}

interface Made {
  readonly schema: string;
  readonly name: string;
  readonly kind: Relation['kind'];
  readonly ifNotExists: boolean;
}

function record({ schema, name, kind, ifNotExists }: Made, output: Output, names: readonly string[], env: Env): void {
  const relation: Relation = {
    oid: -2,
    schema,
    name,
    kind,
    persistence: schema === 'pg_temp' ? 'temporary' : 'permanent',
    columns: output.columns.map((column, at) => ({
      attnum: at + 1,
      name: names[at] ?? column.name,
      type: column.type,
      typmod: -1,
    })),
    parents: [],
    securityInvoker: false,
    hasRules: false,
    system: false,
    overlayLabels: output.columns.map((column) => joinLabels(column.labels, output.open ?? [])),
    ...(output.open === undefined ? {} : { open: true as const }),
  };
  made(relation, ifNotExists, env);
}

function createView(body: Body<'ViewStmt'>, env: Env): StatementResult {
  const range = body.view;
  const query: Node | undefined = body.query;
  if (range === undefined || query === undefined) throw new MeaningError('unsupported', 'an odd CREATE VIEW');
  env.unseen.delete(range);
  const output = env.rules.query(query, env);
  const schema = env.names.creationSchema(range);
  env.tally.act('sql:create', relationResource({ ...range, schemaname: range.schemaname ?? schema }, env));
  const labels = output.columns.reduce((sum, column) => joinLabels(sum, column.labels), output.open ?? []);
  env.tally.expose(labels, `defines the view ${range.relname ?? ''} over labelled values`);
  record({ schema, name: range.relname ?? '', kind: 'view', ifNotExists: false }, output, strings(body.aliases), env);
  return done;
}
