import type { ActionDeclaration, ContextType, Declarations } from '@sluice/core/contract/declarations.ts';
import type { AccessClass } from '@sluice/core/domain/action.ts';

/** The verbs and resources of MCP, with what policy may read about each. */

/** Present with every verb; there are no optional attributes, so a policy never reads one that is missing. */
export const mcpContext = {
  /** The method as MCP names it: `tools/call`. */
  method: 'String',
  /** Name of the tool or the prompt; empty where there is none. */
  name: 'String',
  /** URI of the resource; empty where there is none. */
  uri: 'String',
  /** JSON pointer (RFC 6901) within the arguments to what stands there, as text: every text, number, Boolean and null. */
  arguments: 'Map<String>',
  /** The same for whole numbers, as numbers. */
  numbers: 'Map<Long>',
  /** Whether the tool's definition is as it was pinned. */
  pinned: 'Bool',
  /** The target claims that the tool changes nothing. */
  claims_read_only: 'Bool',
  /** The target does not claim that the tool destroys nothing. */
  claims_destructive: 'Bool',
} as const satisfies Readonly<Record<string, ContextType>>;

interface Verb {
  readonly access: AccessClass;
  readonly resources: readonly string[];
  readonly doc: string;
}

export const mcpVerbs = {
  'mcp:logging': { access: 'connect', resources: ['Target'], doc: 'Says how much of its log the target is to send.' },
  'mcp:tools.list': { access: 'read', resources: ['Target'], doc: 'Lists the tools that the principal may call.' },
  'mcp:tools.call': { access: 'execute', resources: ['Tool'], doc: 'Calls a tool.' },
  'mcp:tools.pin': {
    access: 'execute',
    resources: ['Tool'],
    doc: 'Takes the definition of a tool that was never used here: from then on it is pinned. Shown and called only after that.',
  },
  'mcp:tools.changed': {
    access: 'admin',
    resources: ['Tool'],
    doc: 'Takes a definition of a tool that differs from the pinned one, in its place. Its text shows both.',
  },
  'mcp:resources.list': {
    access: 'read',
    resources: ['Target'],
    doc: 'Lists the resources that the principal may read, and templates of their URIs.',
  },
  'mcp:resources.read': { access: 'read', resources: ['McpResource'], doc: 'Reads a resource.' },
  'mcp:resources.subscribe': {
    access: 'read',
    resources: ['McpResource'],
    doc: 'Asks to be told when a resource changes, or no longer.',
  },
  'mcp:prompts.list': { access: 'read', resources: ['Target'], doc: 'Lists the prompts that the principal may get.' },
  'mcp:prompts.get': { access: 'read', resources: ['Prompt'], doc: 'Gets a prompt, filled in with arguments.' },
  'mcp:completion': {
    access: 'read',
    resources: ['Prompt', 'McpResource'],
    doc: 'Asks how an argument of a prompt, or of a template of URIs, may go on.',
  },
  'mcp:opaque': {
    access: 'read',
    resources: ['Tool', 'McpResource', 'Prompt'],
    doc: 'Is given an image, a sound or other bytes in an answer, which nothing can be masked in.',
  },
} as const satisfies Readonly<Record<string, Verb>>;

export type McpVerb = keyof typeof mcpVerbs;

function declare([verb, { access, resources, doc }]: [string, Verb]): ActionDeclaration {
  return { verb, access, resources, context: mcpContext, doc };
}

export const mcpDeclarations: Declarations = {
  actions: Object.entries(mcpVerbs).map(declare),
  resources: [
    { type: 'Tool', parents: ['Target'], doc: 'A tool of an MCP server: `crm/find_customer`.' },
    {
      type: 'McpResource',
      parents: ['Target'],
      doc: 'A resource of an MCP server, by its URI: `crm/file:///notes.txt`.',
    },
    { type: 'Prompt', parents: ['Target'], doc: 'A prompt of an MCP server: `crm/summarise`.' },
  ],
};
