import { joinAllLabels, noLabels } from '../../sql/label-set.ts';
import { schemaResource } from '../../sql/resources.ts';
import type { Relation } from '../catalog/catalog.ts';
import type { Body, Node } from './ast.ts';
import { as } from './ast.ts';
import { castTo } from './cast.ts';
import { changed, everythingChanged, made } from './ddl-effect.ts';
import { type Env, type StatementResult, typeOid } from './env.ts';
import { MeaningError } from './error.ts';
import { relationSource } from './from.ts';
import { relationResource, resourceOf } from './objects.ts';
import { done, type StatementRules } from './rules.ts';
import type { ScopeColumn, Source } from './scope.ts';
import { anyColumn, sweep } from './sweep.ts';

/** Tables, indexes, sequences and what hangs on a table: made and altered. */
export const tableRules: StatementRules = {
  CreateStmt: (body, env) => createTable(body, 'table', env),
  CreateForeignTableStmt: (body, env) => {
    if (body.base === undefined) throw new MeaningError('unsupported', 'an odd CREATE FOREIGN TABLE');
    return createTable(body.base, 'foreign_table', env);
  },
  AlterTableStmt: alterTable,
  IndexStmt: (body, env) => {
    const { relation: range, ...rest } = body;
    const relation = onTable(range, 'sql:create', env);
    define(rest, relation, 'sql:create', env);
    env.tally.effect({ kind: 'ddl' });
    return done;
  },
  CreatePolicyStmt: (body, env) => onTablePart(body.table, [body.qual, body.with_check], 'sql:create', env),
  AlterPolicyStmt: (body, env) => onTablePart(body.table, [body.qual, body.with_check], 'sql:alter', env),
  CreateTrigStmt: createTrigger,
  CreateStatsStmt: (body, env) => {
    const [first] = body.relations ?? [];
    const range = as(first, 'RangeVar');
    const relation = onTable(range, 'sql:create', env);
    define([body.exprs, (body.relations ?? []).slice(1)], relation, 'sql:create', env);
    return done;
  },
  CreateSeqStmt: (body, env) => {
    if (body.sequence === undefined) throw new MeaningError('unsupported', 'an odd CREATE SEQUENCE');
    create(body.sequence, 'sequence', [], body.if_not_exists === true, env);
    sweep(body.options, { verb: 'sql:create', sources: [], reason: 'defines by labelled values' }, env);
    return done;
  },
  AlterSeqStmt: (body, env) => {
    if (body.sequence === undefined) throw new MeaningError('unsupported', 'an odd ALTER SEQUENCE');
    env.unseen.delete(body.sequence);
    env.tally.act('sql:alter', relationResource(body.sequence, env));
    env.tally.effect({ kind: 'ddl' });
    return done;
  },
  AlterTableMoveAllStmt: (body, env) => {
    void body;
    env.tally.act('sql:alter');
    return done;
  },
};

function createTable(body: Body<'CreateStmt'>, kind: Relation['kind'], env: Env): StatementResult {
  const { relation: range, ...rest } = body;
  if (range === undefined) throw new MeaningError('unsupported', 'a table without a name');
  const columns = (body.tableElts ?? []).flatMap((node) => as(node, 'ColumnDef')?.colname ?? []);
  // Columns also come from LIKE, INHERITS, OF and PARTITION OF; then the list is not all there is.
  const partial =
    (body.inhRelations ?? []).length > 0 ||
    body.ofTypename !== undefined ||
    (body.tableElts ?? []).some((node) => as(node, 'TableLikeClause') !== undefined);
  create(range, kind, partial ? undefined : columns, body.if_not_exists === true, env);
  const name = range.relname ?? '';
  const schema = env.names.creationSchema(range);
  const labelled = (body.tableElts ?? []).flatMap((node) => labelledColumn(as(node, 'ColumnDef'), schema, name, env));
  const reason = `defines ${name} by labelled values`;
  sweep(rest, { verb: 'sql:create', sources: [{ ...anyColumn(name), columns: labelled }], reason }, env);
  // The name of a partition says in which range a value lies.
  if (body.partspec !== undefined) env.tally.expose(joinAllLabels(labelled.map((column) => column.labels)), reason);
  return done;
}

/** Labels go by names, so labelled values may be put into a new table of that name: its checks would answer questions. */
function labelledColumn(
  column: Body<'ColumnDef'> | undefined,
  schema: string,
  table: string,
  env: Env,
): readonly ScopeColumn[] {
  const name = column?.colname;
  if (name === undefined) return [];
  const labels = env.ctx.labels.of(env.ctx.target, [schema, table, name]);
  if (labels.length === 0) return [];
  // A domain has checks of its own; a plain type takes a text or refuses it whatever it is.
  if (column?.typeName !== undefined && env.names.type(column.typeName)?.kind === 'domain') {
    env.tally.expose(labels, `checks labelled values by a domain in ${table}`);
  }
  return [{ name, labels, type: typeOid.unknownYet, direct: false }];
}

function create(
  range: Body<'RangeVar'>,
  kind: Relation['kind'],
  columns: readonly string[] | undefined,
  ifNotExists: boolean,
  env: Env,
): void {
  env.unseen.delete(range);
  const schema = env.names.creationSchema(range);
  const name = range.relname ?? '';
  env.tally.act('sql:create', relationResource({ ...range, schemaname: range.schemaname ?? schema }, env));
  const relation: Relation = {
    oid: -2,
    schema,
    name,
    kind,
    persistence: schema === 'pg_temp' ? 'temporary' : 'permanent',
    columns: (columns ?? []).map((column, at) => ({ attnum: at + 1, name: column, type: 0, typmod: -1 })),
    parents: [],
    securityInvoker: false,
    hasRules: false,
    system: false,
    overlayLabels: (columns ?? []).map(() => noLabels),
    ...(columns === undefined ? { open: true as const } : {}),
  };
  made(relation, ifNotExists, env);
}

/** A statement about something that belongs to a table. */
function onTable(range: Body<'RangeVar'> | undefined, verb: 'sql:create' | 'sql:alter', env: Env): Relation {
  if (range === undefined) throw new MeaningError('unsupported', 'a definition without its table');
  env.unseen.delete(range);
  const relation = env.names.relation(range);
  env.tally.act(verb, resourceOf(relation, env));
  env.tally.touch(relation);
  // A failing check or unique index quotes the row.
  if (env.names.relationLabels(relation).length > 0) env.tally.scrub = true;
  return relation;
}

/** The table's columns, and whatever the statement itself adds. */
function sourcesOf(relation: Relation, aliases: readonly string[], env: Env): readonly Source[] {
  return aliases.map((alias, at) => {
    const source = relationSource(relation, alias, [], at === 0, env);
    return at === 0 ? { ...source, open: source.open ?? noLabels } : source;
  });
}

function define(parts: unknown, relation: Relation, verb: 'sql:create' | 'sql:alter', env: Env): void {
  sweep(
    parts,
    {
      verb,
      sources: sourcesOf(relation, [relation.name], env),
      reason: `defines by labelled values of ${relation.name}`,
    },
    env,
  );
}

function onTablePart(
  range: Body<'RangeVar'> | undefined,
  parts: readonly (Node | undefined)[],
  verb: 'sql:create' | 'sql:alter',
  env: Env,
): StatementResult {
  const relation = onTable(range, verb, env);
  define(parts, relation, verb, env);
  return done;
}

function createTrigger(body: Body<'CreateTrigStmt'>, env: Env): StatementResult {
  const relation = onTable(body.relation, 'sql:create', env);
  env.tally.expose(env.names.relationLabels(relation), `hands labelled values of ${relation.name} to a trigger`);
  const sources = sourcesOf(relation, ['new', 'old'], env);
  sweep([body.whenClause, body.constrrel], { verb: 'sql:create', sources, reason: 'fires by labelled values' }, env);
  env.tally.effect({ kind: 'ddl' });
  return done;
}

const renaming: ReadonlySet<string> = new Set([
  'AT_AddColumn',
  'AT_DropColumn',
  'AT_AlterColumnType',
  'AT_AttachPartition',
  'AT_DetachPartition',
  'AT_AddInherit',
  'AT_DropInherit',
  'AT_AddOf',
  'AT_DropOf',
  'AT_DropExpression',
  'AT_SetExpression',
  'AT_AddIdentity',
  'AT_CookedColumnDefault',
  'AT_ColumnDefault',
]);

/** Whether a value fits into another type, or passes the checks of a domain, tells about it. */
function retyped(relation: Relation, command: Body<'AlterTableCmd'>, env: Env): void {
  const type = as(command.def, 'ColumnDef')?.typeName;
  const at = relation.columns.findIndex((column) => column.name === command.name);
  const labels = at < 0 ? env.names.relationLabels(relation) : env.names.columnLabels(relation, at);
  if (type !== undefined) castTo({ labels, constant: false, type: relation.columns[at]?.type ?? 0 }, type, env);
  if ((type?.typmods ?? []).length > 0) env.tally.expose(labels, 'casts a labelled value to a limited length');
}

/** Detached from its parent, a table no longer takes the parent's labels. */
const unlabelling: ReadonlySet<string> = new Set(['AT_DetachPartition', 'AT_DropInherit', 'AT_DropExpression']);

function alterTable(body: Body<'AlterTableStmt'>, env: Env): StatementResult {
  const range = body.relation;
  if (range === undefined) throw new MeaningError('unsupported', 'an ALTER TABLE without a table');
  env.unseen.delete(range);
  if (body.objtype === 'OBJECT_TYPE') {
    env.tally.act('sql:alter', schemaResource(env.ctx.target, env.names.creationSchemaOf(range.schemaname)));
    sweep(body.cmds, { verb: 'sql:alter', sources: [anyColumn(range.relname ?? '')], reason: 'alters a type' }, env);
    everythingChanged(env);
    return { kind: 'alter_type' };
  }
  const relation = env.names.find(range);
  if (relation === undefined && body.missing_ok !== true) env.names.relation(range);
  env.tally.act('sql:alter', relationResource(range, env));
  if (relation !== undefined) {
    env.tally.touch(relation);
    if (env.names.relationLabels(relation).length > 0) env.tally.scrub = true;
  }
  for (const node of body.cmds ?? []) {
    const command = as(node, 'AlterTableCmd');
    if (command === undefined) throw new MeaningError('unsupported', 'an odd ALTER TABLE');
    const subtype = command.subtype ?? '';
    if (relation !== undefined) {
      define(node, relation, 'sql:alter', env);
      if (subtype === 'AT_AlterColumnType') retyped(relation, command, env);
      if (unlabelling.has(subtype)) {
        env.tally.expose(env.names.relationLabels(relation), `takes labels away from ${relation.name}`);
      }
    }
    if (renaming.has(subtype)) changed(relation, range, env);
  }
  env.tally.effect({ kind: 'ddl' });
  const kinds: Readonly<Record<string, string>> = {
    OBJECT_INDEX: 'alter_index',
    OBJECT_VIEW: 'alter_view',
    OBJECT_MATVIEW: 'alter_materialized_view',
    OBJECT_SEQUENCE: 'alter_sequence',
    OBJECT_FOREIGN_TABLE: 'alter_foreign_table',
  };
  const kind = kinds[body.objtype ?? ''];
  return kind === undefined ? done : { kind };
}
