// A real MCP server over streamable HTTP, with sessions, that wants a bearer token.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
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
    const transport = known ?? (await opened());
    await transport.handleRequest(request, response, await bodyOf(request));
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

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString());
}
