/** What the tests of this package speak about: one connector's declarations, and short ways to ask a question. */
import type { Declarations } from '@sluice/core/contract/declarations.ts';
import type { Question, SessionFacts } from '@sluice/core/contract/policy.ts';
import type { AccessClass, Action, Context } from '@sluice/core/domain/action.ts';
import type { Principal, PrincipalKind } from '@sluice/core/domain/principal.ts';
import { childResource, type Resource, targetResource } from '@sluice/core/domain/resource.ts';
import type { Target } from '@sluice/core/domain/target.ts';
import { formatPolicyError } from './error.ts';
import { loadPolicies } from './load.ts';
import { EnforcedPolicies, type SnapshotOptions } from './snapshot.ts';

const statement = { has_where: 'Bool', tables: 'Set<String>', rows_limit: 'Long', detail: 'String' } as const;

const request = { path: 'String', body: 'Map<String>', numbers: 'Map<Long>' } as const;

export const declarations: Declarations = {
  resources: [
    { type: 'Schema', parents: ['Target'], doc: 'A schema.' },
    { type: 'Table', parents: ['Schema'], doc: 'A table.' },
    { type: 'Endpoint', parents: ['Endpoint', 'Target'], doc: 'A path.' },
  ],
  actions: [
    { verb: 'sql:transaction', access: 'connect', resources: ['Target'], context: {}, doc: 'Begin or end.' },
    { verb: 'sql:select', access: 'read', resources: ['Table', 'Target'], context: statement, doc: 'Read rows.' },
    { verb: 'sql:update', access: 'write', resources: ['Table'], context: statement, doc: 'Change rows.' },
    { verb: 'sql:delete', access: 'write', resources: ['Table'], context: statement, doc: 'Delete rows.' },
    { verb: 'sql:drop', access: 'admin', resources: ['Table', 'Schema'], context: {}, doc: 'Drop.' },
    { verb: 'http:delete', access: 'write', resources: ['Endpoint'], context: request, doc: 'Delete something.' },
    { verb: 'http:write', access: 'write', resources: ['Endpoint'], context: request, doc: 'Send something.' },
  ],
};

export const shop: Target = { name: 'shop', connector: 'sql', tags: ['env=prod'] };

export function table(schema: string, name: string, target = 'shop'): Resource {
  return childResource('Table', childResource('Schema', targetResource(target), schema), name);
}

/** `shop/v1/orders` lies in `shop/v1`, and that in the target. */
export function endpoint(...segments: readonly string[]): Resource {
  return segments.reduce((parent, name) => childResource('Endpoint', parent, name), targetResource('shop'));
}

export const customers = table('public', 'customers');

export function principal(
  kind: PrincipalKind,
  name: string,
  groups: readonly string[] = [],
  owner?: string,
): Principal {
  const issuer = 'https://id.example';
  return {
    kind,
    id: `${issuer}#${name}`,
    issuer,
    subject: name,
    displayName: name,
    groups,
    ...(owner === undefined ? {} : { owner: { kind: 'user', id: `${issuer}#${owner}` } }),
    chain: [],
    expiresAt: 4_000_000_000_000,
  };
}

export const agent = principal('agent', 'robin', ['react-agents'], 'olga');

/** A Friday, 14:30 UTC. */
export const friday = Date.UTC(2026, 0, 16, 14, 30);

export const facts: SessionFacts = {
  client: { address: '10.1.2.3:40000', secure: true },
  labelsSeen: [],
  now: friday,
};

const classes: Readonly<Record<string, AccessClass>> = {
  connect: 'connect',
  'sql:transaction': 'connect',
  'sql:select': 'read',
  'sql:update': 'write',
  'sql:delete': 'write',
  'sql:drop': 'admin',
  'http:write': 'write',
};

export const statementContext: Context = { has_where: true, tables: ['public.customers'], rows_limit: 0, detail: '' };

export function action(verb: string, resources: readonly Resource[] = [customers], context: Context = {}): Action {
  const declared = declarations.actions.find((each) => each.verb === verb)?.context ?? {};
  const full = Object.keys(declared).length > 0 ? { ...statementContext, ...context } : context;
  return { verb, access: classes[verb] ?? 'admin', resources, text: verb, context: full };
}

export function ask(
  verb: string,
  over: Partial<Question> & { context?: Context; resources?: Resource[] } = {},
): Question {
  const { context, resources, ...rest } = over;
  return { principal: agent, target: shop, action: action(verb, resources, context), facts, ...rest };
}

/** A request with a body, by JSON pointer. */
export function post(
  texts: Readonly<Record<string, string>>,
  numbers: Readonly<Record<string, number>> = {},
  resources: readonly Resource[] = [endpoint('v1', 'orders')],
): Question {
  const context = {
    path: '/v1/orders',
    body: new Map(Object.entries(texts)),
    numbers: new Map(Object.entries(numbers)),
  };
  const verb = 'http:write';
  return { principal: agent, target: shop, action: { verb, access: 'write', resources, text: verb, context }, facts };
}

export function enforce(text: string, options: SnapshotOptions = {}): EnforcedPolicies {
  const loaded = loadPolicies([{ path: 'policies/test.cedar', text }], [declarations]);
  if (!loaded.ok) throw new Error(loaded.errors.map(formatPolicyError).join('\n'));
  return new EnforcedPolicies(loaded.set, 1, options);
}
