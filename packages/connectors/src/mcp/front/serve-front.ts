import { CLIENT_INFO_META_KEY, createMcpHandler } from '@modelcontextprotocol/server';
import type { Log } from '@sluice/core/contract/connector.ts';
import type { Caller, Operations } from '@sluice/core/contract/operations.ts';
import type { Json, JsonObject } from '@sluice/core/domain/json.ts';
import type { HttpExchange } from '../../wire/http/exchange.ts';
import { HttpError } from '../../wire/http/http-error.ts';
import { abortSignal } from '../../wire/http/signal.ts';
import { JsonError, parseStrictJson } from '../../wire/json/strict-json.ts';
import type { Visit } from '../exchange.ts';
import { readRunContext } from '../gateway/run-context.ts';
import { answerJson, header } from '../reply.ts';
import { Front } from './mcp-server.ts';
import { oneTarget } from './one-target.ts';

export interface ServeFrontParts {
  readonly operations: Operations;
  readonly log: Log;
  /** Largest request, in bytes. */
  readonly bodyBytes: number;
}

/** Requests of one principal at once. */
const mostAtOnce = 32;
/** All that this server answers to; whatever else there is in MCP, it does not have. */
const methods: ReadonlySet<string> = new Set([
  'initialize',
  'notifications/initialized',
  'notifications/cancelled',
  'notifications/roots/list_changed',
  'ping',
  'server/discover',
  'tools/list',
  'tools/call',
]);
/** Header fields that mean something to the protocol; no other reaches its library. */
const passedOn: ReadonlySet<string> = new Set([
  'accept',
  'content-type',
  'mcp-protocol-version',
  'mcp-method',
  'mcp-name',
]);

/**
 * Serves `/mcp`, and with `only` the address of one target: each request is whole in itself, and is carried out for
 * whoever proved to have sent it.
 */
export function serveFront({
  operations,
  log,
  bodyBytes,
}: ServeFrontParts): (visit: Visit, only?: string) => Promise<void> {
  const front = new Front({
    declared: () => operations.declared,
    onFailure: (err, tool) => log.error({ tool, err }, 'a tool of the gateway failed'),
  });
  const atOnce = new Map<string, number>();
  return async (visit, only) => {
    const { exchange, who } = visit;
    if (exchange.method !== 'POST') {
      // There is no stream of the server's own and no session to end (MCP, "Streamable HTTP").
      await answerJson(exchange, 405, rpcError(null, -32000, 'Only POST is served here.'), [['allow', 'POST']]);
      return;
    }
    const { id } = who.principal;
    const running = atOnce.get(id) ?? 0;
    if (running >= mostAtOnce) {
      await answerJson(exchange, 429, rpcError(null, -32000, 'Too many requests at once.'), [['retry-after', '1']]);
      return;
    }
    atOnce.set(id, running + 1);
    try {
      const body = await readBody(exchange, bodyBytes);
      if (body === undefined) return;
      const seen = only === undefined ? operations : oneTarget(operations, only);
      await serve(front, seen, visit, body, log);
    } finally {
      const left = (atOnce.get(id) ?? 1) - 1;
      if (left === 0) atOnce.delete(id);
      else atOnce.set(id, left);
    }
  };
}

/** The request's message; undefined when it was refused. */
async function readBody(exchange: HttpExchange, most: number): Promise<Json | undefined> {
  const parts: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const part of exchange.body) {
      length += part.length;
      if (length > most) {
        await answerJson(exchange, 413, rpcError(null, -32000, `The request has more than ${most} bytes.`));
        return undefined;
      }
      parts.push(part);
    }
    const message = parseStrictJson(Buffer.concat(parts), { bytes: most });
    const problem = problemOf(message);
    if (!problem) return message;
    await answerJson(exchange, problem.status, problem.body);
  } catch (error) {
    if (error instanceof JsonError) {
      await answerJson(exchange, 400, rpcError(null, -32700, error.publicMessage));
    } else if (error instanceof HttpError) {
      await answerJson(exchange, 400, rpcError(null, -32000, 'The request could not be read.'));
    } else throw error;
  }
  return undefined;
}

/** What the protocol's library would take, and this server does not. */
function problemOf(message: Json): { readonly status: number; readonly body: Json } | undefined {
  if (typeof message !== 'object' || message === null || isList(message)) {
    return { status: 400, body: rpcError(null, -32600, 'One message per request: batches are not taken.') };
  }
  if (namesPrototype(message)) {
    return { status: 400, body: rpcError(null, -32600, 'No member of a message is called __proto__.') };
  }
  const { method, id } = message;
  if (typeof method !== 'string') {
    return { status: 400, body: rpcError(null, -32600, 'This server asks nothing, so nothing can be answered.') };
  }
  if (!methods.has(method)) {
    if (id === undefined) return { status: 400, body: rpcError(null, -32601, 'Unknown notification.') };
    return { status: 200, body: rpcError(id, -32601, 'Method not found.') };
  }
  return undefined;
}

/** Libraries read it in different ways, or drop it; the depth of the message is bounded already. */
function namesPrototype(value: Json): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (!isList(value) && Object.hasOwn(value, '__proto__')) return true;
  return Object.values(value).some(namesPrototype);
}

async function serve(
  front: Front,
  operations: Operations,
  { exchange, who }: Visit,
  body: Json,
  log: Log,
): Promise<void> {
  const { headers, origin } = exchange;
  const application = applicationOf(body) ?? shown(header(exchange, 'user-agent') ?? '');
  const caller: Caller = {
    principal: who.principal,
    ...(who.credential === undefined ? {} : { credential: who.credential }),
    client: {
      address: origin.remote,
      secure: origin.secure,
      ...(application === '' ? {} : { application }),
    },
  };
  const claimed = (meta: JsonObject) => readRunContext(headers, { _meta: meta });
  const handler = createMcpHandler(() => front.serverFor({ operations, caller, claimed }), {
    onerror: (err) => log.debug({ err }, 'an MCP request was not carried out'),
  });
  const request = new Request(`http://${exchange.authority || 'localhost'}/mcp`, {
    method: 'POST',
    headers: headers.filter(([name]) => passedOn.has(name)).map(([name, value]): [string, string] => [name, value]),
    signal: abortSignal(exchange.gone),
  });
  await passOn(exchange, await handler.fetch(request, { parsedBody: body }));
}

/** What the client calls itself, where it says so with each request (MCP 2026-07-28, "Per-request metadata"). */
function applicationOf(body: Json): string | undefined {
  const info = member(member(member(body, 'params'), '_meta'), CLIENT_INFO_META_KEY);
  const [name, version] = [member(info, 'name'), member(info, 'version')];
  if (typeof name !== 'string' || name === '') return undefined;
  return shown(typeof version === 'string' ? `${name}/${version}` : name);
}

function member(value: Json | undefined, name: string): Json | undefined {
  if (typeof value !== 'object' || value === null || isList(value) || !Object.hasOwn(value, name)) return undefined;
  return value[name];
}

async function passOn(exchange: HttpExchange, response: Response): Promise<void> {
  const type = response.headers.get('content-type');
  const reply = exchange.respond({
    // A client that is gone has no status; 499 is nobody's.
    status: response.status === 499 ? 400 : response.status,
    headers: [...(type === null ? [] : [['content-type', type] as const]), ['cache-control', 'no-store']],
  });
  try {
    if (response.body) for await (const chunk of response.body) await reply.write(chunk);
  } catch (error) {
    // What nobody reads any more is broken off by the library.
    if (!exchange.gone.aborted) throw error;
  }
  await reply.end();
}

function rpcError(id: Json, code: number, message: string): Json {
  return { jsonrpc: '2.0', id, error: { code, message } };
}

function shown(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, 128);
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
