/**
 * The schema that policies are validated against: what can be asked at all. It is generated from the connectors'
 * declarations and the gateway's own verbs, so that a policy naming something no connector can say is refused when it
 * is loaded. It holds no policies and judges nothing.
 */
import { isDeepStrictEqual } from 'node:util';
import type { SchemaJson, TypeOfAttribute } from '@cedar-policy/cedar-wasm/nodejs';
import type { ActionDeclaration, ContextType, Declarations } from '@sluice/core/contract/declarations.ts';
import { type AccessClass, accessClasses } from '@sluice/core/domain/action.ts';
import type { PrincipalKind } from '@sluice/core/domain/principal.ts';
import { gatewayVerbs } from './gateway.ts';
import { mapEntityTypes } from './maps.ts';
import { type SessionAttribute, sessionAttributes } from './session-context.ts';

export const principalTypes: Readonly<Record<PrincipalKind, string>> = {
  user: 'User',
  agent: 'Agent',
  service: 'Service',
};

export interface VerbSchema {
  readonly verb: string;
  readonly access: AccessClass | undefined;
  readonly resources: ReadonlySet<string>;
  /** Attributes beside those of the session. */
  readonly context: Readonly<Record<string, ContextType>>;
  readonly doc: string;
}

export interface PolicySchema {
  readonly cedar: SchemaJson<string>;
  readonly verbs: ReadonlyMap<string, VerbSchema>;
  /** Per resource type, the types its direct parent may have; empty for a root. */
  readonly parents: ReadonlyMap<string, ReadonlySet<string>>;
  /** Of types that lie in themselves and have roots: names of those that lie in the target directly. */
  readonly roots: ReadonlyMap<string, readonly string[]>;
}

type AttributeType = TypeOfAttribute<string>;

const contextTypes: Readonly<Record<ContextType | SessionAttribute['type'], AttributeType>> = {
  Bool: { type: 'Boolean' },
  Long: { type: 'Long' },
  String: { type: 'String' },
  'Set<String>': { type: 'Set', element: { type: 'String' } },
  'Map<String>': { type: 'Entity', name: mapEntityTypes['Map<String>'] },
  'Map<Long>': { type: 'Entity', name: mapEntityTypes['Map<Long>'] },
  ipaddr: { type: 'Extension', name: 'ipaddr' },
  datetime: { type: 'Extension', name: 'datetime' },
  Target: { type: 'Entity', name: 'Target' },
};

const reservedTypes = new Set([
  ...Object.values(principalTypes),
  ...Object.values(mapEntityTypes),
  ...['Group', 'Tag', 'Label', 'Action'],
]);

/** Throws when declarations contradict each other or the gateway: that is a mistake in a connector, not in a policy. */
export function buildSchema(declarations: readonly Declarations[]): PolicySchema {
  const parents = resourceParents(declarations);
  const verbs = declaredVerbs(declarations, parents);
  const roots = new Map(
    declarations.flatMap((declared) => declared.resources).flatMap(({ type, roots }) => (roots ? [[type, roots]] : [])),
  );
  return { cedar: { '': { entityTypes: entityTypes(parents), actions: actions(verbs) } }, verbs, parents, roots };
}

function resourceParents(declarations: readonly Declarations[]): Map<string, Set<string>> {
  const parents = new Map<string, Set<string>>([
    ['Target', new Set()],
    ['Label', new Set()],
  ]);
  for (const resource of declarations.flatMap((declared) => declared.resources)) {
    if (resource.type === 'Target') continue;
    if (reservedTypes.has(resource.type)) throw new Error(`Resource type "${resource.type}" belongs to the gateway.`);
    if (resource.parents.length === 0) throw new Error(`Resource type "${resource.type}" has no parent type.`);
    const known = parents.get(resource.type) ?? new Set();
    for (const parent of resource.parents) known.add(parent);
    parents.set(resource.type, known);
  }
  for (const [type, above] of parents) {
    for (const parent of above) {
      if (!parents.has(parent)) throw new Error(`Resource type "${type}" has the undeclared parent type "${parent}".`);
    }
  }
  return parents;
}

function declaredVerbs(
  declarations: readonly Declarations[],
  parents: ReadonlyMap<string, unknown>,
): Map<string, VerbSchema> {
  const verbs = new Map<string, VerbSchema>();
  const declared = new Map<string, ActionDeclaration>();
  for (const own of gatewayVerbs) {
    verbs.set(own.verb, { ...own, access: undefined, resources: new Set(own.resources), context: {} });
  }
  for (const action of declarations.flatMap((declared) => declared.actions)) {
    const known = declared.get(action.verb);
    // Connectors of one family say the same verbs; what differs would make a policy mean two things.
    if (known && isDeepStrictEqual({ ...known, doc: '' }, { ...action, doc: '' })) continue;
    checkAction(action, verbs, parents);
    const { verb, access, context, doc } = action;
    verbs.set(verb, { verb, access, resources: new Set(action.resources), context, doc });
    declared.set(verb, action);
  }
  return verbs;
}

function checkAction(
  action: ActionDeclaration,
  verbs: ReadonlyMap<string, unknown>,
  parents: ReadonlyMap<string, unknown>,
): void {
  if (verbs.has(action.verb) || accessClasses.some((name) => name === action.verb)) {
    throw new Error(`Verb "${action.verb}" is declared in two ways, or is the gateway's own.`);
  }
  if (action.access === undefined) throw new Error(`Verb "${action.verb}" has no access class.`);
  if (action.resources.length === 0) throw new Error(`Verb "${action.verb}" acts on no resource type.`);
  for (const type of action.resources) {
    if (!parents.has(type)) throw new Error(`Verb "${action.verb}" acts on the undeclared resource type "${type}".`);
  }
  for (const name of Object.keys(action.context)) {
    if (sessionAttributes.some((attribute) => attribute.name === name)) {
      throw new Error(`Verb "${action.verb}" declares the context attribute "${name}", which belongs to the session.`);
    }
  }
}

function entityTypes(parents: ReadonlyMap<string, ReadonlySet<string>>): SchemaJson<string>['']['entityTypes'] {
  const types: SchemaJson<string>['']['entityTypes'] = {
    Group: {},
    Tag: {},
    User: { memberOfTypes: ['Group'] },
    Agent: {
      memberOfTypes: ['Group'],
      shape: { type: 'Record', attributes: { owner: { type: 'Entity', name: 'User', required: false } } },
    },
    Service: { memberOfTypes: ['Group'] },
    Target: { memberOfTypes: ['Tag'] },
    // `pii.email` lies in `pii`: a policy may speak of a whole family of labels.
    Label: { memberOfTypes: ['Label'] },
    [mapEntityTypes['Map<String>']]: { tags: { type: 'String' } },
    [mapEntityTypes['Map<Long>']]: { tags: { type: 'Long' } },
  };
  for (const [type, above] of parents) if (types[type] === undefined) types[type] = { memberOfTypes: [...above] };
  return types;
}

function actions(verbs: ReadonlyMap<string, VerbSchema>): SchemaJson<string>['']['actions'] {
  const all: SchemaJson<string>['']['actions'] = {};
  for (const name of accessClasses) all[name] = {};
  for (const verb of verbs.values()) {
    all[verb.verb] = {
      ...(verb.access === undefined ? {} : { memberOf: [{ id: verb.access }] }),
      appliesTo: {
        principalTypes: Object.values(principalTypes),
        resourceTypes: [...verb.resources],
        context: { type: 'Record', attributes: contextAttributes(verb) },
      },
    };
  }
  return all;
}

function contextAttributes(verb: VerbSchema): Record<string, AttributeType> {
  const attributes: Record<string, AttributeType> = {};
  for (const { name, type, optional } of sessionAttributes) {
    attributes[name] = optional ? { ...contextTypes[type], required: false } : contextTypes[type];
  }
  for (const [name, type] of Object.entries(verb.context)) attributes[name] = contextTypes[type];
  return attributes;
}
