import type { Json, JsonObject } from '@sluice/core/domain/json.ts';
import type { RunContext } from '@sluice/core/domain/run.ts';
import type { HttpHeader } from '../../wire/http/exchange.ts';
import { isObject } from '../jsonrpc/message.ts';

const longest = 512;

type Claims = { -readonly [K in keyof RunContext]: RunContext[K] };

const inHeaders: ReadonlyMap<string, keyof RunContext> = new Map([
  ['sluice-run', 'run'],
  ['sluice-step', 'step'],
  ['sluice-tool-call', 'toolCall'],
  ['sluice-intent', 'intent'],
  ['traceparent', 'traceparent'],
]);

/** Members of `_meta` (MCP "General fields"): the gateway's own have a prefix, as the protocol asks for. */
const inMeta: ReadonlyMap<string, keyof RunContext> = new Map([
  ['sluice/run', 'run'],
  ['sluice/step', 'step'],
  ['sluice/tool-call', 'toolCall'],
  ['sluice/intent', 'intent'],
  ['traceparent', 'traceparent'],
]);

/** What the client claims about its reasoning; what `_meta` says goes before what the headers say. */
export function readRunContext(headers: readonly HttpHeader[], params: JsonObject): RunContext | undefined {
  const claims: Claims = {};
  for (const [name, value] of headers) put(claims, inHeaders.get(name), value);
  const { _meta: meta } = params;
  if (isObject(meta)) for (const [name, value] of Object.entries(meta)) put(claims, inMeta.get(name), value);
  return Object.keys(claims).length > 0 ? claims : undefined;
}

function put(claims: Claims, key: keyof RunContext | undefined, value: Json): void {
  if (key === undefined || typeof value !== 'string' || value === '') return;
  // Text that every store and every encoding takes: no NUL, no half of a character.
  claims[key] = value.slice(0, longest).replace(/\0|\p{Cs}/gu, '\ufffd');
}
