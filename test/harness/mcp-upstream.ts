// A real MCP server over streamable HTTP, with sessions, that wants a bearer token.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NodeStreamableHTTPServerTransport } from '@modelcontextprotocol/node';
import { McpWorld, serverOver } from './mcp-world.ts';

export interface McpUpstream {
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly world: McpWorld;
  readonly token: string;
  /** Sessions that are open. */
  sessions(): number;
  stop(): Promise<void>;
}

export async function createMcpUpstream(world = new McpWorld()): Promise<McpUpstream> {
  const token = `upstream-${randomUUID()}`;
  const transports = new Map<string, NodeStreamableHTTPServerTransport>();
  const http = createServer(async (request, response) => {
    if (request.headers.authorization !== `Bearer ${token}` || request.url !== '/mcp') {
      response.writeHead(401).end();
      return;
    }
    const id = request.headers['mcp-session-id'];
    const known = typeof id === 'string' ? transports.get(id) : undefined;
    if (id !== undefined && !known) {
      response.writeHead(404).end();
      return;
    }
    const body = await bodyOf(request);
    if (isChatter(body)) {
      world.asked.push(`tools/call chatter ${JSON.stringify(body.params.arguments)}`);
      await chatter(response, body);
      return;
    }
    const transport = known ?? (await opened());
    await transport.handleRequest(request, response, body);
  });

  async function opened(): Promise<NodeStreamableHTTPServerTransport> {
    const transport = new NodeStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => {
        transports.set(id, transport);
      },
      onsessionclosed: (id) => {
        transports.delete(id);
      },
    });
    await serverOver(world).connect(transport);
    return transport;
  }

  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  return {
    host: '127.0.0.1',
    port: (http.address() as AddressInfo).port,
    world,
    token,
    sessions: () => transports.size,
    stop: async () => {
      for (const server of [...world.servers]) await server.close();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

interface Chatter {
  readonly id: number;
  readonly params: { readonly name: 'chatter'; readonly arguments: { readonly times: number; readonly bytes: number } };
}

function isChatter(body: unknown): body is Chatter {
  const { method, params } = (body ?? {}) as { method?: string; params?: { name?: string } };
  return method === 'tools/call' && params?.name === 'chatter';
}

/** Says much along the way, and no more than is taken: the library would keep it all. */
async function chatter(response: ServerResponse, { id, params }: Chatter): Promise<void> {
  const { times, bytes } = params.arguments;
  const data = 'x'.repeat(bytes);
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (let n = 0; n < times && !response.destroyed; n++) {
    const note = { level: 'info', logger: 'chatter', data: `${n} ${data}` };
    const text = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/message', params: note });
    if (response.write(`data: ${text}\n\n`)) continue;
    await new Promise<void>((resolve) => {
      const on = (): void => {
        response.off('drain', on).off('close', on);
        resolve();
      };
      response.once('drain', on).once('close', on);
    });
  }
  const result = { content: [{ type: 'text', text: 'said' }] };
  response.end(`data: ${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`);
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString());
}
