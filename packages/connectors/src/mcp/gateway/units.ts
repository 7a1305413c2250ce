import { createHash } from 'node:crypto';
import type { Action, Context } from '@sluice/core/domain/action.ts';
import type { Json, JsonObject } from '@sluice/core/domain/json.ts';
import { childResource, type Resource, targetResource } from '@sluice/core/domain/resource.ts';
import type { RunContext } from '@sluice/core/domain/run.ts';
import type { Unit } from '@sluice/core/domain/unit.ts';
import { type McpVerb, mcpVerbs } from '../verbs.ts';
import { argumentMaps } from './arguments.ts';
import { type Ask, paramsOf, textOf } from './ask.ts';
import type { ToolDefinition } from './tool-definition.ts';

/** How a tool's definition stands to the one that is pinned. */
export type Standing =
  | { readonly state: 'pinned' }
  | { readonly state: 'new' }
  | { readonly state: 'changed'; readonly pinned: string };

/** A tool as it is known now. */
export interface KnownTool {
  readonly definition: ToolDefinition;
  readonly standing: Standing;
}

const utf8 = new TextEncoder();

/**
 * What an ask means. Its bytes are the message that the target is sent, less the id. Throws `client_protocol` where the
 * arguments are too many to be decided about.
 */
export function unitOf(
  target: string,
  ask: Ask,
  extra: { readonly tool?: KnownTool; readonly run?: RunContext } = {},
): Unit {
  const { tool, run } = extra;
  const unit: Unit = {
    name: ask.method,
    bytes: [utf8.encode(JSON.stringify({ method: ask.method, params: paramsOf(ask) }))],
    actions: [askAction(target, ask, tool), ...(tool ? definitionActions(target, tool) : [])],
    labels: [],
    exposures: [],
    parameters: [],
    // A consent to call a tool is one to call what it was said to be.
    binding: tool ? { definition: digestOf(tool) } : {},
  };
  return run === undefined ? unit : { ...unit, run };
}

/** Taking a tool's definition, without calling it. */
export function definitionUnit(target: string, tool: KnownTool): Unit {
  return {
    name: 'definition',
    bytes: [],
    actions: definitionActions(target, tool),
    labels: [],
    exposures: [],
    parameters: [],
    binding: { definition: digestOf(tool) },
  };
}

/** Handing out what nobody can look into. */
export function opaqueUnit(target: string, ask: Ask, of: string, kind: string, bytes: number): Unit {
  const base = askAction(target, ask);
  return {
    name: 'opaque',
    bytes: [],
    actions: [
      {
        ...base,
        verb: 'mcp:opaque',
        access: mcpVerbs['mcp:opaque'].access,
        text: `${kind}, ${bytes} bytes, from ${of}`,
      },
    ],
    labels: [],
    exposures: [],
    parameters: [],
    binding: {},
  };
}

/** What the gateway itself has to ask of a target, which stands on the decision to connect. */
export function ownUnit(method: string, params: JsonObject): Unit {
  return {
    name: method,
    bytes: [utf8.encode(JSON.stringify({ method, params }))],
    actions: [],
    labels: [],
    exposures: [],
    parameters: [],
    binding: {},
  };
}

const verbs: Readonly<Record<Ask['method'], McpVerb>> = {
  'tools/list': 'mcp:tools.list',
  'tools/call': 'mcp:tools.call',
  'resources/list': 'mcp:resources.list',
  'resources/templates/list': 'mcp:resources.list',
  'resources/read': 'mcp:resources.read',
  'resources/subscribe': 'mcp:resources.subscribe',
  'resources/unsubscribe': 'mcp:resources.subscribe',
  'prompts/list': 'mcp:prompts.list',
  'prompts/get': 'mcp:prompts.get',
  'completion/complete': 'mcp:completion',
  'logging/setLevel': 'mcp:logging',
};

function askAction(target: string, ask: Ask, tool?: KnownTool): Action {
  const verb = verbs[ask.method];
  return {
    verb,
    access: mcpVerbs[verb].access,
    resources: [resourceOf(target, ask)],
    text: textOf(ask),
    context: contextOf(ask.method, { ...subjectOf(ask), given: givenBy(ask), ...(tool ? { tool } : {}) }),
  };
}

function definitionActions(target: string, tool: KnownTool): readonly Action[] {
  const { definition, standing } = tool;
  if (standing.state === 'pinned') return [];
  const verb: McpVerb = standing.state === 'new' ? 'mcp:tools.pin' : 'mcp:tools.changed';
  const text =
    standing.state === 'new'
      ? `take the definition of ${definition.name}: ${definition.canonical}`
      : `take the changed definition of ${definition.name}\nuntil now: ${standing.pinned}\nfrom now on: ${definition.canonical}`;
  return [
    {
      verb,
      access: mcpVerbs[verb].access,
      resources: [childResource('Tool', targetResource(target), definition.name)],
      text,
      context: contextOf('tools/list', { name: definition.name, tool }),
    },
  ];
}

function digestOf({ definition }: KnownTool): string {
  return createHash('sha256').update(definition.canonical).digest('hex');
}

function contextOf(
  method: string,
  about: { readonly name?: string; readonly uri?: string; readonly given?: Json; readonly tool?: KnownTool },
): Context {
  const { texts, numbers } = argumentMaps(about.given ?? {});
  return {
    method,
    name: about.name ?? '',
    uri: about.uri ?? '',
    arguments: texts,
    numbers,
    pinned: about.tool?.standing.state === 'pinned',
    claims_read_only: about.tool?.definition.claimsReadOnly ?? false,
    claims_destructive: about.tool?.definition.claimsDestructive ?? true,
  };
}

function resourceOf(target: string, ask: Ask): Resource {
  const root = targetResource(target);
  const { name, uri } = subjectOf(ask);
  if (ask.method === 'tools/call') return childResource('Tool', root, name ?? '');
  if (uri !== undefined) return childResource('McpResource', root, uri);
  return name === undefined ? root : childResource('Prompt', root, name);
}

function subjectOf(ask: Ask): { readonly name?: string; readonly uri?: string } {
  if ('uri' in ask) return { uri: ask.uri };
  if ('name' in ask) return { name: ask.name };
  if (ask.method !== 'completion/complete') return {};
  return ask.ref.type === 'ref/prompt' ? { name: ask.ref.of } : { uri: ask.ref.of };
}

function givenBy(ask: Ask): Json {
  if (ask.method === 'tools/call' || ask.method === 'prompts/get') return ask.arguments ?? {};
  if (ask.method !== 'completion/complete') return {};
  return { ...ask.context, [ask.argument.name]: ask.argument.value };
}
