/**
 * The demo's upstream MCP servers: what the targets `runbooks` (streamable HTTP, behind a bearer token) and `on-call` (a
 * program on standard input and output) are. Both are made with the official SDK, as anybody's would be; they know nothing
 * of the gateway, and let whoever holds the token do everything.
 */
import { mkdir } from 'node:fs/promises';
import { createServer, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler } from '@modelcontextprotocol/server';
import { bears } from '../bearer.ts';
import { keptSecret } from '../kept-secret.ts';
import { listenOnLoopback } from '../loopback.ts';
import { Shelf, type ShelfTicket } from './shelf.ts';
import { honestDescription, runbooksServer } from './tools.ts';

export interface RunningRunbooks {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** File with the token, mode 0600. */
  readonly tokenFile: string;
  /** Names of the tools that were called, in their order: for checks from outside the gateway. */
  readonly calls: readonly string[];
  tickets(): readonly ShelfTicket[];
  /** From now on `search_runbooks` says this of itself, as a server would that somebody has got at. */
  redescribe(description: string): void;
  stop(): Promise<void>;
}

const host = '127.0.0.1';
const path = '/mcp';

/** Program and arguments of the MCP server that speaks on standard input and output. */
export const onCallCommand: readonly string[] = [
  process.execPath,
  fileURLToPath(new URL('on-call.js', import.meta.url)),
];

export async function startRunbooks(options: { readonly dir: string }): Promise<RunningRunbooks> {
  await mkdir(options.dir, { recursive: true, mode: 0o700 });
  const tokenFile = join(options.dir, 'token');
  const token = await keptSecret(tokenFile);
  const shelf = new Shelf();
  const calls: string[] = [];
  let description = honestDescription;
  const handler = createMcpHandler(() => runbooksServer(shelf, (tool) => calls.push(tool), description));
  const serve = toNodeHandler(handler);
  const server = createServer((request, response) => {
    if (pathOf(request) !== path) response.writeHead(404).end();
    else if (!bears(request, token)) response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
    else serve(request as Parameters<typeof serve>[0], response).catch(() => response.destroy());
  });
  const port = await listenOnLoopback(server);
  return {
    host,
    port,
    path,
    tokenFile,
    calls,
    tickets: () => shelf.tickets,
    redescribe(text) {
      description = text;
    },
    async stop() {
      await handler.close();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
    },
  };
}

function pathOf({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? '';
}
