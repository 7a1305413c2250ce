import type { Json, JsonObject } from '@sluice/core/domain/json.ts';
import { isObject, NotAMessage, rpcCodes } from '../jsonrpc/message.ts';
import { isPlainTemplate, isPlainUri } from './resource-uri.ts';
import { isToolName } from './tool-definition.ts';
import { isPlainName } from './visible-text.ts';

/** What a client can ask of a target: the requests of MCP that are understood here, with what they may say. */
export type Ask =
  | { readonly method: ListMethod; readonly cursor?: string }
  | { readonly method: 'tools/call'; readonly name: string; readonly arguments?: JsonObject }
  | { readonly method: 'resources/read' | 'resources/subscribe' | 'resources/unsubscribe'; readonly uri: string }
  | { readonly method: 'prompts/get'; readonly name: string; readonly arguments?: JsonObject }
  | {
      readonly method: 'completion/complete';
      readonly ref: { readonly type: 'ref/prompt' | 'ref/resource'; readonly of: string };
      readonly argument: { readonly name: string; readonly value: string };
      readonly context?: JsonObject;
    }
  | { readonly method: 'logging/setLevel'; readonly level: string };

export type ListMethod = 'tools/list' | 'resources/list' | 'resources/templates/list' | 'prompts/list';

const levels = ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency'];
const longestCursor = 1_024;
const longestName = 256;

type Reader = (params: JsonObject) => Ask;

const list =
  (method: ListMethod): Reader =>
  (params) => {
    const { cursor } = take(params, ['cursor']);
    if (cursor === undefined) return { method };
    return { method, cursor: text(cursor, 'cursor', longestCursor) };
  };

const resource =
  (method: 'resources/read' | 'resources/subscribe' | 'resources/unsubscribe'): Reader =>
  (params) => {
    const { uri } = take(params, ['uri']);
    return { method, uri: plainUri(uri) };
  };

const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['tools/list', list('tools/list')],
  ['resources/list', list('resources/list')],
  ['resources/templates/list', list('resources/templates/list')],
  ['prompts/list', list('prompts/list')],
  ['resources/read', resource('resources/read')],
  ['resources/subscribe', resource('resources/subscribe')],
  ['resources/unsubscribe', resource('resources/unsubscribe')],
  [
    'tools/call',
    (params) => {
      const { name, arguments: given } = take(params, ['name', 'arguments']);
      if (typeof name !== 'string' || !isToolName(name)) return invalid('there is no tool of such a name.');
      if (given === undefined) return { method: 'tools/call', name };
      return { method: 'tools/call', name, arguments: object(given, 'arguments') };
    },
  ],
  [
    'prompts/get',
    (params) => {
      const { name, arguments: given } = take(params, ['name', 'arguments']);
      const prompt = promptName(name);
      return given === undefined
        ? { method: 'prompts/get', name: prompt }
        : { method: 'prompts/get', name: prompt, arguments: texts(given) };
    },
  ],
  [
    'completion/complete',
    (params) => {
      const { ref, argument, context } = take(params, ['ref', 'argument', 'context']);
      const { name, value } = take(object(argument, 'argument'), ['name', 'value']);
      const ask: Ask = {
        method: 'completion/complete',
        ref: reference(object(ref, 'ref')),
        argument: { name: text(name, 'argument.name', longestName), value: text(value, 'argument.value', 4_096) },
      };
      if (context === undefined) return ask;
      const { arguments: others } = take(object(context, 'context'), ['arguments']);
      return others === undefined ? ask : { ...ask, context: texts(others) };
    },
  ],
  [
    'logging/setLevel',
    (params) => {
      const { level } = take(params, ['level']);
      if (typeof level !== 'string' || !levels.includes(level)) return invalid('level is none of those of syslog.');
      return { method: 'logging/setLevel', level };
    },
  ],
]);

/** Undefined for a method that nobody here understands. Throws `NotAMessage` for params that mean nothing. */
export function readAsk(method: string, params: JsonObject): Ask | undefined {
  return readers.get(method)?.(params);
}

/** What is asked, in MCP's own words: the text of its action. */
export function textOf(ask: Ask): string {
  switch (ask.method) {
    case 'tools/call':
    case 'prompts/get':
      return `${ask.method} ${ask.name} ${JSON.stringify(ask.arguments ?? {})}`;
    case 'resources/read':
    case 'resources/subscribe':
    case 'resources/unsubscribe':
      return `${ask.method} ${ask.uri}`;
    case 'completion/complete':
      return `${ask.method} ${ask.ref.of} ${JSON.stringify([
        ask.argument.name,
        ask.argument.value,
        ...(ask.context ? [ask.context] : []),
      ])}`;
    case 'logging/setLevel':
      return `${ask.method} ${ask.level}`;
    default:
      return ask.cursor === undefined ? ask.method : `${ask.method} ${JSON.stringify(ask.cursor)}`;
  }
}

/** The params that a target is sent: what was understood, and nothing besides. */
export function paramsOf(ask: Ask): JsonObject {
  const { method, ...params } = ask;
  if (method !== 'completion/complete') return params;
  const { ref, argument, context } = ask as Extract<Ask, { method: 'completion/complete' }>;
  return {
    ref: ref.type === 'ref/prompt' ? { type: ref.type, name: ref.of } : { type: ref.type, uri: ref.of },
    argument,
    ...(context ? { context: { arguments: context } } : {}),
  };
}

function reference(ref: JsonObject): { readonly type: 'ref/prompt' | 'ref/resource'; readonly of: string } {
  if (ref['type'] === 'ref/prompt') return { type: 'ref/prompt', of: promptName(take(ref, ['type', 'name'])['name']) };
  if (ref['type'] !== 'ref/resource') return invalid('ref.type is ref/prompt or ref/resource.');
  const { uri } = take(ref, ['type', 'uri']);
  if (typeof uri !== 'string' || !isPlainTemplate(uri)) return invalid('ref.uri is no URI, and no template of one.');
  return { type: 'ref/resource', of: uri };
}

function take(params: JsonObject, names: readonly string[]): { readonly [name: string]: Json | undefined } {
  if (Object.keys(params).some((name) => name !== '_meta' && !names.includes(name))) {
    return invalid('the params have a member that is not known.');
  }
  return params;
}

function plainUri(uri: Json | undefined): string {
  if (typeof uri === 'string' && isPlainUri(uri)) return uri;
  return invalid(
    'uri is no URI, or one that could be taken for another: write it without dot segments and needless encoding.',
  );
}

function promptName(name: Json | undefined): string {
  return typeof name === 'string' && isPlainName(name, longestName)
    ? name
    : invalid('there is no prompt of such a name.');
}

function texts(value: Json): JsonObject {
  const given = object(value, 'arguments');
  return Object.values(given).every((each) => typeof each === 'string') ? given : invalid('arguments are texts.');
}

function text(value: Json | undefined, what: string, most: number): string {
  return typeof value === 'string' && value.length <= most
    ? value
    : invalid(`${what} is a text of at most ${most} characters.`);
}

function object(value: Json | undefined, what: string): JsonObject {
  return isObject(value) ? value : invalid(`${what} is an object.`);
}

function invalid(why: string): never {
  throw new NotAMessage(`Invalid params: ${why}`, undefined, rpcCodes.invalidParams);
}
