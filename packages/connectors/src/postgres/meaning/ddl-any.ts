import { inTarget, schemaResource } from '../../sql/resources.ts';
import type { SqlVerb } from '../../sql/verbs.ts';
import type { Body, Node } from './ast.ts';
import { as } from './ast.ts';
import { everythingChanged, gone } from './ddl-effect.ts';
import type { Env, StatementResult } from './env.ts';
import { MeaningError } from './error.ts';
import { isPartOfRelation, isRelation, nameParts, objectResource, relationResource } from './objects.ts';
import { done, type StatementRules } from './rules.ts';
import { setAside, sweep } from './sweep.ts';

/** DROP, RENAME, OWNER, SET SCHEMA, COMMENT: the same for every kind of object. */
export const anyObjectRules: StatementRules = {
  DropStmt: drop,
  RenameStmt: rename,
  AlterObjectSchemaStmt: (body, env) => {
    const kind = about('sql:alter', body.objectType, body.relation, body.object, env);
    env.tally.act('sql:create', schemaResource(env.ctx.target, body.newschema ?? ''));
    moved(body.objectType, body.relation, env);
    everythingChanged(env);
    return kind;
  },
  AlterOwnerStmt: (body, env) => about('sql:alter', body.objectType, body.relation, body.object, env),
  AlterObjectDependsStmt: (body, env) => about('sql:alter', body.objectType, body.relation, body.object, env),
  CommentStmt: (body, env) => {
    setAside(body.object, env);
    return about('sql:alter', body.objtype, undefined, body.object, env);
  },
  SecLabelStmt: (body, env) => {
    setAside(body.object, env);
    return about('sql:alter', body.objtype, undefined, body.object, env);
  },
  ...plainRules(),
};

function about(
  verb: SqlVerb,
  type: string | undefined,
  range: Body<'RangeVar'> | undefined,
  object: Node | undefined,
  env: Env,
): StatementResult {
  if (range !== undefined) {
    env.unseen.delete(range);
    env.tally.act(verb, relationResource(range, env));
  } else {
    setAside(object, env);
    env.tally.act(verb, objectResource(type, object, env));
  }
  env.tally.effect({ kind: 'ddl' });
  return done;
}

function drop(body: Body<'DropStmt'>, env: Env): StatementResult {
  const type = body.removeType;
  for (const node of body.objects ?? []) {
    setAside(node, env);
    env.tally.act('sql:drop', objectResource(type, node, env));
    if (isRelation(type)) {
      const relation = env.names.relationOf(nameParts(node));
      if (relation !== undefined) {
        env.tally.touch(relation);
        gone(relation, env);
      }
    }
  }
  // CASCADE takes along what only the server knows.
  if (body.behavior === 'DROP_CASCADE') env.tally.act('sql:drop');
  if (body.behavior === 'DROP_CASCADE' || !(isRelation(type) || isPartOfRelation(type) || type === 'OBJECT_INDEX')) {
    everythingChanged(env);
  }
  env.tally.effect({ kind: 'ddl' });
  if (type === 'OBJECT_SCHEMA') env.tally.effect({ kind: 'search_path' });
  return { kind: `drop_${(type ?? '').replace('OBJECT_', '').toLowerCase()}` };
}

function rename(body: Body<'RenameStmt'>, env: Env): StatementResult {
  // Schemas, roles, databases and the like stand as a bare name.
  const bare: Node = { String: { sval: body.subname ?? '' } };
  about('sql:alter', body.renameType, body.relation, body.object ?? bare, env);
  moved(body.renameType, body.relation, env);
  everythingChanged(env);
  return { kind: `rename_${(body.renameType ?? '').replace('OBJECT_', '').toLowerCase()}` };
}

/** Labels are put on names, so a labelled thing under another name loses them. */
function moved(type: string | undefined, range: Body<'RangeVar'> | undefined, env: Env): void {
  if (type === 'OBJECT_SCHEMA') {
    env.tally.expose(env.ctx.labels.all(env.ctx.target), 'renames a schema that may hold labelled data');
    return;
  }
  if (range === undefined || !(isRelation(type) || type === 'OBJECT_COLUMN' || type === 'OBJECT_ATTRIBUTE')) return;
  const relation = env.names.find(range);
  if (relation !== undefined)
    env.tally.expose(env.names.relationLabels(relation), `moves labelled data of ${relation.name} to another name`);
}

/** Statements about one object without a schema: verb, label of the object, and where its name stands. */
type Plain<T> = readonly [SqlVerb, string, (body: T) => string | undefined];

function plain<T>([verb, label, name]: Plain<T>): (body: T, env: Env) => StatementResult {
  return (body, env) => {
    env.tally.act(verb, inTarget('TargetObject', env.ctx.target, `${label}:${name(body) ?? ''}`));
    sweep(body, { verb, sources: [], reason: 'defines by labelled values' }, env);
    env.tally.effect({ kind: 'ddl' });
    return done;
  };
}

/** Brings objects of any kind with it, or takes them away. */
function sweeping<T>(how: Plain<T>): (body: T, env: Env) => StatementResult {
  const rule = plain(how);
  return (body, env) => {
    rule(body, env);
    env.tally.act(how[0]);
    everythingChanged(env);
    return done;
  };
}

function plainRules(): StatementRules {
  return {
    CreateExtensionStmt: sweeping(['sql:create', 'extension', (body) => body.extname]),
    AlterExtensionStmt: sweeping(['sql:alter', 'extension', (body) => body.extname]),
    AlterExtensionContentsStmt: sweeping(['sql:alter', 'extension', (body) => body.extname]),
    ImportForeignSchemaStmt: sweeping(['sql:create', 'foreign_server', (body) => body.server_name]),
    CreateFdwStmt: plain(['sql:create', 'fdw', (body) => body.fdwname]),
    AlterFdwStmt: plain(['sql:alter', 'fdw', (body) => body.fdwname]),
    CreateForeignServerStmt: plain(['sql:create', 'foreign_server', (body) => body.servername]),
    AlterForeignServerStmt: plain(['sql:alter', 'foreign_server', (body) => body.servername]),
    CreateUserMappingStmt: plain(['sql:create', 'user_mapping', (body) => body.servername]),
    AlterUserMappingStmt: plain(['sql:alter', 'user_mapping', (body) => body.servername]),
    DropUserMappingStmt: plain(['sql:drop', 'user_mapping', (body) => body.servername]),
    CreatePublicationStmt: publication('sql:create'),
    AlterPublicationStmt: publication('sql:alter'),
    CreateSubscriptionStmt: plain(['sql:create', 'subscription', (body) => body.subname]),
    AlterSubscriptionStmt: plain(['sql:alter', 'subscription', (body) => body.subname]),
    DropSubscriptionStmt: plain(['sql:drop', 'subscription', (body) => body.subname]),
    CreateEventTrigStmt: plain(['sql:create', 'event_trigger', (body) => body.trigname]),
    AlterEventTrigStmt: plain(['sql:alter', 'event_trigger', (body) => body.trigname]),
    CreatePLangStmt: plain(['sql:create', 'language', (body) => body.plname]),
    CreateAmStmt: plain(['sql:create', 'access_method', (body) => body.amname]),
    CreateTableSpaceStmt: plain(['sql:create', 'tablespace', (body) => body.tablespacename]),
    AlterTableSpaceOptionsStmt: plain(['sql:alter', 'tablespace', (body) => body.tablespacename]),
    DropTableSpaceStmt: plain(['sql:drop', 'tablespace', (body) => body.tablespacename]),
    CreatedbStmt: plain(['sql:create', 'database', (body) => body.dbname]),
    AlterDatabaseStmt: plain(['sql:alter', 'database', (body) => body.dbname]),
    AlterDatabaseRefreshCollStmt: plain(['sql:alter', 'database', (body) => body.dbname]),
    DropdbStmt: plain(['sql:drop', 'database', (body) => body.dbname]),
  };
}

/** A publication sends rows of its tables to whoever subscribes. */
function publication(verb: 'sql:create' | 'sql:alter') {
  return (body: Body<'CreatePublicationStmt'> | Body<'AlterPublicationStmt'>, env: Env): StatementResult => {
    env.tally.act(verb, inTarget('TargetObject', env.ctx.target, `publication:${body.pubname ?? ''}`));
    if (body.for_all_tables === true) env.tally.expose(env.ctx.labels.all(env.ctx.target), 'publishes every table');
    for (const node of body.pubobjects ?? []) {
      const spec = as(node, 'PublicationObjSpec');
      if (spec === undefined) throw new MeaningError('unsupported', 'an odd publication');
      const range = spec.pubtable?.relation;
      if (range === undefined) {
        env.tally.expose(env.ctx.labels.all(env.ctx.target), 'publishes a schema');
        continue;
      }
      env.unseen.delete(range);
      const relation = env.names.relation(range);
      env.tally.act(verb, relationResource(range, env));
      env.tally.touch(relation);
      env.tally.expose(env.names.relationLabels(relation), `publishes ${relation.name}`);
      setAside(spec.pubtable?.whereClause, env);
    }
    env.tally.effect({ kind: 'ddl' });
    return done;
  };
}
