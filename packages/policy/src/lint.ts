/**
 * What Cedar's validator lets pass and Sluice does not: policies that read well and never do what they say. Each of
 * them would leave something open that its author believes shut.
 */
import { accessClasses } from '@sluice/core/domain/action.ts';
import { contextReads, entityOf, isNode, type Node, scopeActions, walk } from './ast.ts';
import { type PolicyError, policyError } from './error.ts';
import { gatewayVerbs, immediateVerbs } from './gateway.ts';
import { mapUses, passesWhereAbsent } from './lint-maps.ts';
import type { ParsedPolicy } from './policy-set.ts';
import type { PolicySchema } from './schema.ts';
import { sessionAttributes } from './session-context.ts';

export function lint(policy: ParsedPolicy, schema: PolicySchema): PolicyError[] {
  const errors: PolicyError[] = [];
  const fail = (near: string, message: string, hint: string): void => {
    const token = policy.piece.tokens.find((each) => each.text === near);
    errors.push(policyError(policy.path, policy.piece.place(token?.start ?? 0), message, hint));
  };
  classesCompared(policy, fail);
  ownersGroups(policy, fail);
  unanswerable(policy, fail);
  mapsAsked(policy, schema, fail);
  return errors;
}

type Fail = (near: string, message: string, hint: string) => void;

/** A class is only ever on the right of `in`: nobody acts with a class itself, so it equals nothing. */
function classesCompared(policy: ParsedPolicy, fail: Fail): void {
  walk(policy.json.conditions, (node) => {
    const membership = node['in'];
    if (isNode(membership) && Object.keys(node).length === 1) {
      walk(membership['left'], (inner) => refuse(inner));
      walk(membership['right'], (inner) => isClassOrSet(inner) || refuse(inner));
      return false;
    }
    return refuse(node);
  });
  function refuse(node: Node): boolean {
    const entity = entityOf(node);
    // `connect` is a verb as well as a class, so comparing with it has a meaning.
    if (entity?.type !== 'Action' || !isClass(entity.id) || entity.id === 'connect') return true;
    const hint = `Write action in Action::"${entity.id}", or !(action in Action::"${entity.id}").`;
    fail(`"${entity.id}"`, `no action equals the access class "${entity.id}"; actions are members of it`, hint);
    return false;
  }
}

function isClass(id: string): boolean {
  return accessClasses.some((name) => name === id);
}

/** A class literal, or a set or value holding some, directly on the right of `in`: leave it be. */
function isClassOrSet(node: Node): boolean {
  const value = node['Value'] ?? node;
  const entity = entityOf(value);
  return entity?.type === 'Action';
}

/** The gateway knows who an agent's owner is, not which groups the owner is in: such a test would always be false. */
function ownersGroups(policy: ParsedPolicy, fail: Fail): void {
  walk(policy.json.conditions, (node) => {
    for (const test of [node['in'], node['is']]) {
      if (!isNode(test)) continue;
      const container = test['right'] ?? test['in'];
      if (container !== undefined && mentionsOwner(test['left']) && mentionsGroup(container)) {
        fail(
          'owner',
          'the groups of an agent\'s owner are not known here, so "owner in Group" is never true',
          'Compare the owner with ==, or put the agent itself into a group.',
        );
      }
    }
    return true;
  });
}

function mentionsOwner(value: unknown): boolean {
  let found = false;
  walk(value, (node) => {
    const access = node['.'];
    if (isNode(access) && access['attr'] === 'owner') found = true;
    return !found;
  });
  return found;
}

function mentionsGroup(value: unknown): boolean {
  let found = false;
  walk(value, (node) => {
    if (entityOf(node)?.type === 'Group') found = true;
    return !found;
  });
  return found;
}

/** Nobody can wait, and nothing can be limited, where the question is answered on the spot. */
function unanswerable(policy: ParsedPolicy, fail: Fail): void {
  const named = scopeActions(policy.json);
  if (named === undefined || named.length === 0 || !named.every((id) => immediateVerbs.has(id))) return;
  const { approval, limitRows, readOnly, notify } = policy.terms;
  const verbs = named.join(', ');
  if (approval) {
    fail(
      'approval',
      `nobody can wait for consent to ${verbs}`,
      'Take @approval away, or hold the action that needs it.',
    );
  }
  if (limitRows !== undefined || readOnly || notify !== undefined) {
    const near = limitRows !== undefined ? 'limit_rows' : readOnly ? 'read_only' : 'notify';
    fail(near, `@${near} can't be carried out for ${verbs}`, 'Put it on the permit for the action itself.');
  }
}

/** A map is told from another by what it is of, not by what is in it: comparing it would compare names. */
function mapsAsked(policy: ParsedPolicy, schema: PolicySchema, fail: Fail): void {
  const { whole, named } = mapUses(policy.json, schema);
  for (const name of whole) {
    fail(
      name,
      `"${name}" is a map, which can only be asked for its entries`,
      `Write context.${name}.hasTag("…") && context.${name}.getTag("…") == "…".`,
    );
  }
  for (const type of named) fail(type, `${type} is what maps are made of, and has no members that could be named`, '');
}

/** Not wrong, but worth a second look. */
export function notices(policy: ParsedPolicy): string[] {
  const found: string[] = [];
  const where = `${policy.path}:${policy.at.line}: policy "${policy.id}"`;
  if (policy.effect === 'permit' && scopeActions(policy.json) === undefined) {
    const own = gatewayVerbs.map((each) => each.verb).join(', ');
    found.push(`${where} permits every action, the gateway's own included (${own}).`);
  }
  if (passesWhereAbsent(policy.json)) {
    const other = policy.effect === 'forbid' ? 'unless' : 'when';
    found.push(
      `${where} does not hold back what lacks the entry, or has it as another type: say what may pass, in \`${other}\`.`,
    );
  }
  const read = contextReads(policy.json);
  const claims = sessionAttributes.filter((each) => each.claim && (read === 'all' || read.has(each.name)));
  if (claims.length > 0) {
    const names = claims.map((each) => each.name).join(', ');
    found.push(`${where} reads ${names}: the client claims it and nobody checks it, so never let it open anything.`);
  }
  return found;
}
