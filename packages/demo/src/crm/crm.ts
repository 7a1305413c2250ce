/**
 * The demo's customer service: what the target `crm` is, a small JSON API with customers, tickets, refunds and a stream of
 * events, behind a bearer token that only the gateway has. What it holds lives as long as the process. It decides nothing
 * about who may do what: whoever has the token may do everything, as with many an internal API.
 */
import { mkdir } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { bears } from '../bearer.ts';
import { keptSecret } from '../kept-secret.ts';
import { listenOnLoopback } from '../loopback.ts';
import { type Answer, answer, problem } from './api.ts';
import { type CrmCustomer, Desk, type Refund } from './desk.ts';
import { streamEvents } from './events.ts';

export interface CrmOptions {
  /** Folder for the token; created when absent. */
  readonly dir: string;
  readonly customers: readonly CrmCustomer[];
}

/** One request as it reached the API, for checks from outside the gateway. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  /** Whether it had the token. */
  readonly authorized: boolean;
}

export interface RunningCrm {
  readonly host: string;
  readonly port: number;
  /** File with the token, mode 0600. */
  readonly tokenFile: string;
  readonly seen: readonly SeenRequest[];
  refunds(): readonly Refund[];
  customer(id: number): CrmCustomer | undefined;
  stop(): Promise<void>;
}

const host = '127.0.0.1';
/** Bytes of a request body; nothing that belongs here is longer. */
const longestBody = 64 * 1024;

export async function startCrm(options: CrmOptions): Promise<RunningCrm> {
  await mkdir(options.dir, { recursive: true, mode: 0o700 });
  const tokenFile = join(options.dir, 'token');
  const token = await keptSecret(tokenFile);
  const desk = new Desk(options.customers);
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    const authorized = bears(request, token);
    const { method = '', url = '' } = request;
    seen.push({ method, path: url, authorized });
    serve(desk, request, response, authorized).catch(() => response.destroy());
  });
  const port = await listenOnLoopback(server);
  return {
    host,
    port,
    tokenFile,
    seen,
    refunds: () => desk.refunds,
    customer: (id) => desk.customer(id),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function serve(
  desk: Desk,
  request: IncomingMessage,
  response: ServerResponse,
  authorized: boolean,
): Promise<void> {
  const url = new URL(request.url ?? '/', `http://${host}`);
  const method = request.method ?? '';
  if (!authorized) {
    response.setHeader('www-authenticate', 'Bearer realm="crm"');
    return send(response, problem(401, 'Who are you?'));
  }
  if (method === 'GET' && url.pathname === '/v1/events') return streamEvents(desk, response);
  const body = await bodyOf(request);
  send(response, body === undefined ? problem(413, 'That is too long.') : answer(desk, method, url, body));
}

function send(response: ServerResponse, { status, body }: Answer): void {
  if (body === undefined) {
    response.writeHead(status).end();
    return;
  }
  const type = status >= 400 ? 'application/problem+json' : 'application/json';
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) }).end(text);
}

async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    // The rest is read and dropped, so that the client gets to hear why.
    if (length <= longestBody) chunks.push(chunk);
  }
  return length > longestBody ? undefined : Buffer.concat(chunks).toString('utf8');
}
