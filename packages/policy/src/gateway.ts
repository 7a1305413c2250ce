import type { Action, ContextValue } from '@sluice/core/domain/action.ts';
import { type Resource, targetResource } from '@sluice/core/domain/resource.ts';

/** Verbs that belong to the gateway itself, whatever connectors it has. */
export type GatewayVerb = 'connect' | 'reveal' | 'gateway:view' | 'gateway:manage';

export interface GatewayVerbDeclaration {
  readonly verb: GatewayVerb;
  readonly resources: readonly string[];
  readonly doc: string;
}

export const gatewayVerbs: readonly GatewayVerbDeclaration[] = [
  {
    verb: 'connect',
    resources: ['Target'],
    doc: 'Open a session on the target; asked before anything else. Also the access class of verbs that only steer a session.',
  },
  { verb: 'reveal', resources: ['Label'], doc: 'See values with this label in clear.' },
  {
    verb: 'gateway:view',
    resources: ['Target'],
    doc: 'See sessions, recordings and access requests of other principals on the target.',
  },
  {
    verb: 'gateway:manage',
    resources: ['Target'],
    doc: 'End sessions of other principals and revoke what they were given.',
  },
];

/**
 * Verbs that are answered with yes or no where they are asked: nobody waits there, and there is no answer to limit.
 * A policy that speaks of nothing else may therefore carry neither an approval nor an obligation.
 */
export const immediateVerbs: ReadonlySet<string> = new Set<GatewayVerb>(['reveal', 'gateway:view', 'gateway:manage']);

/** The action to ask policy about for one of the gateway's own verbs on a target. */
export function gatewayAction(verb: 'connect' | 'gateway:view' | 'gateway:manage', target: string): Action {
  return ownAction(verb, targetResource(target), `${verb} ${target}`);
}

/**
 * The action to ask policy about before a label's values are shown in clear: the same object for the same label while it
 * is kept, so that the decision about it is found again quickly.
 */
export function revealAction(label: string): Action {
  let action = reveals.get(label);
  if (action === undefined) {
    action = Object.freeze(ownAction('reveal', { type: 'Label', id: label }, `reveal ${label}`));
    if (reveals.size >= mostReveals) reveals.clear();
    reveals.set(label, action);
  }
  return action;
}

const reveals = new Map<string, Action>();
const mostReveals = 1_000;

const noContext: Readonly<Record<string, ContextValue>> = {};

function ownAction(verb: GatewayVerb, resource: Resource, text: string): Action {
  // An action needs some class; policy groups the gateway's verbs by its own schema and never reads this one.
  return { verb, access: verb === 'connect' ? 'connect' : 'admin', resources: [resource], text, context: noContext };
}
