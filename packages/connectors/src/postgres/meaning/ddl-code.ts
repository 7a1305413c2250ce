import { inTarget, schemaResource } from '../../sql/resources.ts';
import type { Body, Node } from './ast.ts';
import { as, strings } from './ast.ts';
import { everythingChanged, fresh } from './ddl-effect.ts';
import type { Env, StatementResult } from './env.ts';
import { MeaningError } from './error.ts';
import { objectResource, schemaChild } from './objects.ts';
import { done, type StatementRules } from './rules.ts';
import { anyColumn, setAside, sweep } from './sweep.ts';

/** Functions, types, operators and the like: what gives names and literals a new meaning. */
export const codeRules: StatementRules = {
  CreateFunctionStmt: createFunction,
  AlterFunctionStmt: (body, env) => {
    env.tally.act('sql:alter', objectResource(body.objtype ?? 'OBJECT_FUNCTION', wrap(body.func), env));
    setAside(body.actions, env);
    for (const node of body.actions ?? []) functionSetting(node);
    env.tally.effect({ kind: 'ddl' });
    return done;
  },
  CreateDomainStmt: (body, env) => {
    const parts = strings(body.domainname);
    env.tally.act('sql:create', schemaChild('Type', parts, env));
    sweep(body.constraints, { verb: 'sql:create', sources: [anyColumn('value')], reason: 'defines a domain' }, env);
    setAside(body.collClause, env);
    fresh('type', parts, env);
    return done;
  },
  AlterDomainStmt: (body, env) => {
    env.tally.act('sql:alter', schemaChild('Type', strings(body.typeName), env));
    sweep(body.def, { verb: 'sql:alter', sources: [anyColumn('value')], reason: 'defines a domain' }, env);
    // Its check runs over rows that are already there, and an error may quote one.
    env.tally.scrub = true;
    env.tally.effect({ kind: 'ddl' });
    return done;
  },
  CreateEnumStmt: (body, env) => createType(strings(body.typeName), env),
  CreateRangeStmt: (body, env) => createType(strings(body.typeName), env),
  CompositeTypeStmt: (body, env) => {
    const range = body.typevar;
    if (range !== undefined) env.unseen.delete(range);
    setAside(body.coldeflist, env);
    const parts = [range?.schemaname, range?.relname].filter((part) => part !== undefined);
    return createType(parts, env);
  },
  AlterEnumStmt: (body, env) => alterType(strings(body.typeName), env),
  AlterTypeStmt: (body, env) => alterType(strings(body.typeName), env),
  DefineStmt: define,
  CreateCastStmt: (body, env) => admin('sql:create', 'cast', body, env),
  CreateTransformStmt: (body, env) => admin('sql:create', 'transform', body, env),
  CreateConversionStmt: (body, env) => schemaObject('sql:create', strings(body.conversion_name), env),
  CreateOpClassStmt: (body, env) => schemaObject('sql:create', strings(body.opclassname), env),
  CreateOpFamilyStmt: (body, env) => schemaObject('sql:create', strings(body.opfamilyname), env),
  AlterOpFamilyStmt: (body, env) => schemaObject('sql:alter', strings(body.opfamilyname), env),
  AlterOperatorStmt: (body, env) => schemaObject('sql:alter', strings(body.opername?.objname), env),
  AlterCollationStmt: (body, env) => schemaObject('sql:alter', strings(body.collname), env),
  AlterStatsStmt: (body, env) => schemaObject('sql:alter', strings(body.defnames), env),
  AlterTSDictionaryStmt: (body, env) => schemaObject('sql:alter', strings(body.dictname), env),
  AlterTSConfigurationStmt: (body, env) => schemaObject('sql:alter', strings(body.cfgname), env),
  RuleStmt: () => {
    throw new MeaningError('unsupported', 'CREATE RULE is not possible through the gateway', {
      hint: 'A rule makes later statements do something else than they say; use a trigger or a view.',
    });
  },
  CreateSchemaStmt: createSchema,
};

function wrap(func: Body<'ObjectWithArgs'> | undefined): Node | undefined {
  return func === undefined ? undefined : { ObjectWithArgs: func };
}

/** A function may carry settings that hold while it runs; two of them would change how the gateway has to read. */
function functionSetting(node: Node): void {
  const setting = as(as(node, 'DefElem')?.arg, 'VariableSetStmt');
  const name = setting?.name?.toLowerCase();
  if (name === 'client_encoding' || name === 'standard_conforming_strings') {
    throw new MeaningError('forbidden_setting', `parameter "${name}" cannot be changed through the gateway`);
  }
}

function createFunction(body: Body<'CreateFunctionStmt'>, env: Env): StatementResult {
  const parts = strings(body.funcname);
  env.tally.act('sql:create', schemaChild('Function', parts, env));
  // The body is never seen into: every call of it is an action, and its results carry every label. What it does with
  // labelled values besides giving them back, nobody sees.
  env.tally.expose(env.ctx.labels.all(env.ctx.target), 'makes a function whose body is not seen into');
  setAside(body, env);
  for (const node of body.options ?? []) functionSetting(node);
  fresh('function', parts, env);
  return body.is_procedure === true ? { kind: 'create_procedure' } : done;
}

function createType(parts: readonly string[], env: Env): StatementResult {
  env.tally.act('sql:create', schemaChild('Type', parts, env));
  fresh('type', parts, env);
  return done;
}

function alterType(parts: readonly string[], env: Env): StatementResult {
  env.tally.act('sql:alter', schemaChild('Type', parts, env));
  env.tally.effect({ kind: 'ddl' });
  return done;
}

function schemaObject(verb: 'sql:create' | 'sql:alter', parts: readonly string[], env: Env): StatementResult {
  env.tally.act(verb, schemaChild('SchemaObject', parts, env));
  env.tally.effect({ kind: 'ddl' });
  return done;
}

function admin(verb: 'sql:create', label: string, body: object, env: Env): StatementResult {
  setAside(body, env);
  env.tally.act(verb, inTarget('TargetObject', env.ctx.target, label));
  // Casts work without being named.
  everythingChanged(env);
  return done;
}

/** CREATE AGGREGATE, OPERATOR, TYPE, COLLATION and the text search objects. */
function define(body: Body<'DefineStmt'>, env: Env): StatementResult {
  const parts = strings(body.defnames);
  setAside(body, env);
  const kind = `create_${(body.kind ?? '').replace('OBJECT_', '').toLowerCase()}`;
  env.tally.act('sql:create', objectResource(body.kind, { List: { items: body.defnames ?? [] } }, env));
  if (body.kind === 'OBJECT_AGGREGATE') fresh('function', parts, env);
  else if (body.kind === 'OBJECT_OPERATOR') fresh('operator', parts, env);
  else if (body.kind === 'OBJECT_TYPE') fresh('type', parts, env);
  else env.tally.effect({ kind: 'ddl' });
  return { kind };
}

function createSchema(body: Body<'CreateSchemaStmt'>, env: Env): StatementResult {
  const name = body.schemaname ?? body.authrole?.rolename ?? env.ctx.role;
  if ((body.schemaElts ?? []).length > 0) {
    throw new MeaningError('unsupported', 'CREATE SCHEMA with definitions inside is not possible through the gateway', {
      hint: 'Create the schema first, and each object by a statement of its own.',
    });
  }
  env.tally.act('sql:create', schemaResource(env.ctx.target, name));
  env.tally.effect({ kind: 'overlay', change: { kind: 'schema', name } });
  env.tally.effect({ kind: 'ddl' });
  // A schema that search_path already names becomes part of it.
  env.tally.effect({ kind: 'search_path' });
  return done;
}
