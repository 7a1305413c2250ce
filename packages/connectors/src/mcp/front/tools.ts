import type { OperationDeclaration } from '@sluice/core/contract/operations.ts';
import type { Json, JsonObject } from '@sluice/core/domain/json.ts';

/** A tool of the gateway's own, as clients are told of it. Nothing that a target says is ever part of it. */
export interface FrontTool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly inputSchema: JsonObject & { readonly type: 'object' };
  readonly outputSchema: JsonObject & { readonly type: 'object' };
  readonly annotations: {
    readonly readOnlyHint: boolean;
    readonly destructiveHint: boolean;
    readonly idempotentHint: boolean;
    readonly openWorldHint: boolean;
  };
}

/** In characters. */
export const longestClaim = 512;
export const longestTarget = 128;
export const mostSessions = 100;

/** What a caller may say about why it asks; the same for every tool. Only what acts at a target keeps it. */
const claims = {
  intent: {
    type: 'string',
    maxLength: longestClaim,
    description: 'Why you do this, in one sentence. Reviewers and auditors read it.',
  },
  run: { type: 'string', maxLength: longestClaim, description: 'Id of your run, if you have one.' },
  step: { type: 'string', maxLength: longestClaim, description: 'Id of the step in your run, if you have one.' },
} as const satisfies JsonObject;

export const claimNames: readonly string[] = Object.keys(claims);

const text: JsonObject = { type: 'string' };

/** Everything that can come of a call: what it gives, or why it gives nothing. */
function outcomes(result: JsonObject): FrontTool['outputSchema'] {
  return {
    type: 'object',
    properties: {
      status: {
        type: 'string',
        enum: ['done', 'pending', 'denied', 'failed'],
        description:
          'done: see result. pending: people must approve it first; send the identical call again later. denied: policy forbids it; see reason and hint. failed: see code and message.',
      },
      result,
      request: { ...text, description: 'Id of the access request that it waits for, or that was refused.' },
      url: { ...text, description: 'Where people see and answer the access request.' },
      reason: text,
      policies: { type: 'array', items: text },
      hint: { ...text, description: 'What to do next.' },
      code: text,
      message: text,
    },
    required: ['status'],
  };
}

const reading = { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false } as const;

const listTargets: FrontTool = {
  name: 'list_targets',
  title: 'List targets',
  description:
    'Lists the systems (databases, hosts, APIs) that you may reach through this gateway, and which operations each has. Call it first. Example: {}',
  inputSchema: { type: 'object', properties: { ...claims }, additionalProperties: false },
  outputSchema: outcomes({
    type: 'object',
    properties: {
      targets: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            name: text,
            kind: { ...text, description: 'The protocol it speaks.' },
            tags: { type: 'array', items: text },
            operations: { type: 'array', items: text, description: 'Tools here that take this target.' },
          },
          required: ['name', 'kind', 'tags', 'operations'],
        },
      },
    },
    required: ['targets'],
  }),
  annotations: reading,
};

const requestStatus: FrontTool = {
  name: 'request_status',
  title: 'Status of an access request',
  description:
    'Tells how far one of your access requests is: pending, approved (send the identical call again now), denied, expired, used. Take the id from the "request" of a pending call. People take minutes: do not ask more often than every 30 seconds. Example: {"request": "req_…"}',
  inputSchema: {
    type: 'object',
    properties: { request: { type: 'string', minLength: 1, maxLength: 128 }, ...claims },
    required: ['request'],
    additionalProperties: false,
  },
  outputSchema: outcomes({
    type: 'object',
    properties: {
      request: text,
      state: {
        type: 'string',
        enum: ['pending', 'approved', 'denied', 'expired', 'cancelled', 'used', 'revoked'],
      },
      target: text,
      actions: { type: 'array', items: text, description: 'What was asked for, as reviewers see it.' },
      groups: { type: 'array', items: text, description: 'Whose consent it needs.' },
      answers: {
        type: 'array',
        items: {
          type: 'object',
          properties: { by: text, answer: text, comment: text },
          required: ['by', 'answer'],
        },
      },
      created_at: text,
      expires_at: {
        ...text,
        description: 'While pending: when it times out. Once approved: until when it can be used.',
      },
      next: { ...text, description: 'What to do now.' },
    },
    required: ['request', 'state', 'target', 'actions', 'groups', 'answers', 'created_at', 'expires_at', 'next'],
  }),
  annotations: reading,
};

const listMySessions: FrontTool = {
  name: 'list_my_sessions',
  title: 'List my sessions',
  description:
    'Lists your own sessions at targets, newest first: each is recorded, and people can review it by its id. Example: {"limit": 10}',
  inputSchema: {
    type: 'object',
    properties: { limit: { type: 'integer', minimum: 1, maximum: mostSessions }, ...claims },
    additionalProperties: false,
  },
  outputSchema: outcomes({
    type: 'object',
    properties: {
      sessions: {
        type: 'array',
        items: {
          type: 'object',
          properties: {
            session: text,
            target: text,
            started_at: text,
            ended_at: text,
            end_reason: text,
            live: { type: 'boolean' },
          },
          required: ['session', 'target', 'started_at', 'live'],
        },
      },
    },
    required: ['sessions'],
  }),
  annotations: reading,
};

const own: readonly FrontTool[] = [listTargets, requestStatus, listMySessions];
/** Names of the tools that need no target. */
export const ownTools: ReadonlySet<string> = new Set(own.map(({ name }) => name));

/** Throws for an operation that no tool can be made of: a connector's mistake, found at the first start. */
export function frontTools(operations: readonly OperationDeclaration[]): readonly FrontTool[] {
  const taken = operations.find(({ name }) => ownTools.has(name));
  if (taken) throw new Error(`the operation ${taken.name} has the name of a tool of the gateway`);
  return [...own, ...operations.map(toolOf)];
}

function toolOf(operation: OperationDeclaration): FrontTool {
  const { input } = operation;
  const properties = objectOf(input['properties']);
  const clash = Object.keys(properties).find((name) => name === 'target' || claimNames.includes(name));
  if (clash !== undefined) throw new Error(`the operation ${operation.name} has an argument ${clash}`);
  const required = Array.isArray(input['required']) ? input['required'] : [];
  return {
    name: operation.name,
    title: operation.title,
    description: operation.doc,
    inputSchema: {
      ...input,
      type: 'object',
      properties: {
        target: {
          type: 'string',
          minLength: 1,
          maxLength: longestTarget,
          description: 'Name of the target; list_targets has them.',
        },
        ...properties,
        ...claims,
      },
      required: ['target', ...required],
    },
    outputSchema: outcomes(operation.output),
    annotations: operation.readOnly
      ? reading
      : { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true },
  };
}

function objectOf(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !isList(value) ? value : {};
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
