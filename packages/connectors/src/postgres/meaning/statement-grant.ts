import { inTarget, schemaResource } from '../../sql/resources.ts';
import type { SqlVerb } from '../../sql/verbs.ts';
import type { Body, Node } from './ast.ts';
import { as } from './ast.ts';
import type { Env, StatementResult } from './env.ts';
import { MeaningError } from './error.ts';
import { nameParts, objectResource, relationResource } from './objects.ts';
import { done, type StatementRules } from './rules.ts';
import { settingName } from './settings.ts';

/** Who may do what: privileges, roles, and settings that roles start with. */
export const grantRules: StatementRules = {
  GrantStmt: grant,
  GrantRoleStmt: (body, env) => {
    const verb = body.is_grant === true ? 'sql:grant' : 'sql:revoke';
    for (const node of body.granted_roles ?? []) {
      env.tally.act(verb, inTarget('Role', env.ctx.target, as(node, 'AccessPriv')?.priv_name ?? ''));
    }
    for (const node of body.grantee_roles ?? []) role(node, verb, env);
    return body.is_grant === true ? done : { kind: 'revoke_role' };
  },
  AlterDefaultPrivilegesStmt: (body, env) => {
    env.tally.act(body.action?.is_grant === true ? 'sql:grant' : 'sql:revoke');
    return done;
  },
  CreateRoleStmt: (body, env) => {
    env.tally.act('sql:create', inTarget('Role', env.ctx.target, body.role ?? ''));
    return done;
  },
  AlterRoleStmt: (body, env) => {
    roleSpec(body.role, 'sql:alter', env);
    // ALTER GROUP … ADD USER is a grant of a role.
    for (const node of body.options ?? []) {
      if (as(node, 'DefElem')?.defname === 'rolemembers') env.tally.act('sql:grant');
    }
    return done;
  },
  AlterRoleSetStmt: (body, env) => {
    if (body.role === undefined) env.tally.act('sql:alter');
    else roleSpec(body.role, 'sql:alter', env);
    startSetting(body.setstmt);
    return done;
  },
  AlterDatabaseSetStmt: (body, env) => {
    env.tally.act('sql:alter', inTarget('TargetObject', env.ctx.target, `database:${body.dbname ?? ''}`));
    startSetting(body.setstmt);
    return done;
  },
  AlterSystemStmt: (body, env) => {
    const name = settingName(body.setstmt?.name ?? 'all');
    env.tally.act('sql:set', inTarget('Setting', env.ctx.target, name));
    env.tally.act('sql:alter');
    startSetting(body.setstmt);
    return done;
  },
  DropRoleStmt: (body, env) => {
    for (const node of body.roles ?? []) role(node, 'sql:drop', env);
    return done;
  },
  DropOwnedStmt: (body, env) => owned(body.roles, 'sql:drop', env),
  ReassignOwnedStmt: (body, env) => {
    roleSpec(body.newrole, 'sql:alter', env);
    return owned(body.roles, 'sql:alter', env);
  },
};

function grant(body: Body<'GrantStmt'>, env: Env): StatementResult {
  const verb = body.is_grant === true ? 'sql:grant' : 'sql:revoke';
  const kind = body.is_grant === true ? 'grant' : 'revoke';
  for (const node of body.objects ?? []) {
    const range = as(node, 'RangeVar');
    if (range !== undefined) {
      env.unseen.delete(range);
      env.tally.act(verb, relationResource(range, env));
    } else if (body.targtype === 'ACL_TARGET_ALL_IN_SCHEMA') {
      env.tally.act(verb, schemaResource(env.ctx.target, nameParts(node).at(-1) ?? ''));
    } else if (body.objtype === 'OBJECT_PARAMETER_ACL') {
      env.tally.act(verb, inTarget('Setting', env.ctx.target, settingName(nameParts(node).at(-1) ?? '')));
    } else env.tally.act(verb, objectResource(body.objtype, node, env));
  }
  if ((body.objects ?? []).length === 0) env.tally.act(verb);
  return { kind };
}

/** A setting that later sessions start with is bound by the same limits as one set now. */
function startSetting(body: Body<'VariableSetStmt'> | undefined): void {
  const name = settingName(body?.name ?? '');
  if (name !== 'client_encoding' && name !== 'standard_conforming_strings') return;
  if (body?.kind === 'VAR_RESET' || body?.kind === 'VAR_SET_DEFAULT') return;
  throw new MeaningError('forbidden_setting', `parameter "${name}" cannot be changed through the gateway`);
}

function owned(roles: readonly Node[] | undefined, verb: SqlVerb, env: Env): StatementResult {
  for (const node of roles ?? []) role(node, verb, env);
  // What the role owns may be anything.
  env.tally.act(verb);
  env.tally.effect({ kind: 'ddl' });
  env.tally.effect({ kind: 'overlay', change: { kind: 'everything' } });
  return done;
}

function role(node: Node, verb: SqlVerb, env: Env): void {
  roleSpec(as(node, 'RoleSpec'), verb, env);
}

function roleSpec(spec: Body<'RoleSpec'> | undefined, verb: SqlVerb, env: Env): void {
  const name =
    spec?.roletype === 'ROLESPEC_PUBLIC'
      ? 'public'
      : spec?.roletype === 'ROLESPEC_SESSION_USER'
        ? env.ctx.sessionUser
        : spec?.rolename === undefined
          ? env.ctx.role
          : spec.rolename;
  env.tally.act(verb, inTarget('Role', env.ctx.target, name));
}
