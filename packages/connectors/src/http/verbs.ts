import type { ActionDeclaration, ContextType, Declarations } from '@sluice/core/contract/declarations.ts';
import type { AccessClass } from '@sluice/core/domain/action.ts';

/** The verbs and resources of HTTP, with what policy may read about each. */

/** Present with every verb; there are no optional attributes, so a policy never reads one that is missing. */
export const httpContext = {
  /** `GET`, `POST`, …. */
  method: 'String',
  /** The path below the target, decoded: `/v1/customers/42`. */
  path: 'String',
  /** Parameters of the query by name, decoded. Those that came more than once are joined by commas. */
  query: 'Map<String>',
  /** Parameters that came more than once; empty where the target refuses them. */
  repeated: 'Set<String>',
  /** Media type of the request's body in lower case, without parameters; empty without a body. */
  content_type: 'String',
  body_present: 'Bool',
  /** There is a body, and not all that is in it is under `body`: it is no JSON and no form, or has very long values. */
  body_opaque: 'Bool',
  /**
   * What is in the body: by JSON pointer (RFC 6901) every text, number, Boolean and null, as text; of a form, by
   * `/` and the field's name.
   */
  body: 'Map<String>',
  /** The same for whole numbers, as numbers. */
  numbers: 'Map<Long>',
  /** Name of the GraphQL operation; empty where it has none. */
  operation: 'String',
  /** Fields that the GraphQL operation asks for at its top, by their own names and not by their aliases. */
  fields: 'Set<String>',
  /** Media type of the answer; empty before there is one. */
  answer_type: 'String',
} as const satisfies Readonly<Record<string, ContextType>>;

interface Verb {
  readonly access: AccessClass;
  readonly doc: string;
}

export const httpVerbs = {
  'http:read': { access: 'read', doc: 'GET, HEAD or OPTIONS.' },
  'http:write': { access: 'write', doc: 'POST, PUT or PATCH.' },
  'http:delete': { access: 'write', doc: 'DELETE.' },
  'http:graphql.query': { access: 'read', doc: 'A GraphQL query, one for each in a request.' },
  'http:graphql.mutation': { access: 'write', doc: 'A GraphQL mutation, one for each in a request.' },
  'http:graphql.subscription': { access: 'read', doc: 'A GraphQL subscription.' },
  'http:websocket': {
    access: 'execute',
    doc: 'Opens a WebSocket: messages go both ways from then on, and are recorded.',
  },
  'http:opaque': {
    access: 'read',
    doc: 'Is given an answer, or messages of a WebSocket, in which not everything can be masked: images, archives and other bytes; and texts that are no JSON, where the target has labels that the principal may not see.',
  },
} as const satisfies Readonly<Record<string, Verb>>;

export type HttpVerb = keyof typeof httpVerbs;

function declare([verb, { access, doc }]: [string, Verb]): ActionDeclaration {
  return { verb, access, resources: ['Endpoint', 'Target'], context: httpContext, doc };
}

export const httpDeclarations: Declarations = {
  actions: Object.entries(httpVerbs).map(declare),
  resources: [
    {
      type: 'Endpoint',
      parents: ['Endpoint', 'Target'],
      doc: 'A path of an HTTP API, in the path above it: `crm/v1/customers/42` in `crm/v1/customers`. The root is the target itself.',
    },
  ],
};
