// An MCP server that lies: a script answers each message in whatever way it likes, over plain HTTP.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly method: string;
  readonly id: number | undefined;
  readonly params: Record<string, unknown>;
  readonly message: Record<string, unknown>;
}

export interface HostileMcp {
  readonly port: number;
  /** Everything it was sent, in order. */
  readonly asked: Asked[];
  /** Requests other than POST. */
  readonly others: string[];
  /** What it does from now on. */
  play(tools: readonly object[], lie: Lie): void;
  stop(): Promise<void>;
}

/** Answers one message; true when it did, or else the usual answer is given. */
export type Lie = (asked: Asked, response: ServerResponse, request: IncomingMessage) => boolean;

export const tool = (name: string, more: object = {}): object => ({
  name,
  description: name,
  inputSchema: { type: 'object' },
  ...more,
});

export function answer(response: ServerResponse, message: unknown, headers: Record<string, string> = {}): true {
  response
    .writeHead(200, { 'content-type': 'application/json', ...headers })
    .end(typeof message === 'string' ? message : JSON.stringify(message));
  return true;
}

export function stream(response: ServerResponse, ...messages: readonly unknown[]): true {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const message of messages)
    response.write(`data: ${typeof message === 'string' ? message : JSON.stringify(message)}\n\n`);
  response.end();
  return true;
}

export async function createHostileMcp(): Promise<HostileMcp> {
  let tools: readonly object[] = [];
  let lie: Lie = () => false;
  const asked: Asked[] = [];
  const others: string[] = [];
  const http = createServer(async (request, response) => {
    if (request.method !== 'POST') {
      others.push(`${request.method} ${request.url}`);
      response.writeHead(405).end();
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const message = JSON.parse(Buffer.concat(chunks).toString());
    const { method, id, params = {} } = message;
    const found: Asked = { method, id, params, message };
    asked.push(found);
    if (lie(found, response, request)) return;
    if (id === undefined || method === undefined) response.writeHead(202).end();
    else
      answer(
        response,
        { jsonrpc: '2.0', id, result: usual(found, tools) },
        method === 'initialize' ? { 'mcp-session-id': 'upstream-session-1' } : {},
      );
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    port: (http.address() as AddressInfo).port,
    asked,
    others,
    play: (given, how) => {
      tools = given;
      lie = how;
    },
    stop: () => {
      http.closeAllConnections();
      return new Promise((resolve) => http.close(() => resolve()));
    },
  };
}

function usual({ method }: Asked, tools: readonly object[]): object {
  switch (method) {
    case 'initialize':
      return {
        protocolVersion: '2025-11-25',
        capabilities: { tools: {}, resources: {}, prompts: {} },
        serverInfo: { name: 'x', version: '1' },
      };
    case 'tools/list':
      return { tools };
    case 'tools/call':
      return { content: [{ type: 'text', text: 'done' }] };
    default:
      return {};
  }
}
