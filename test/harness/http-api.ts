// A real API behind a real gateway, for tests about HTTP targets.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type AnyGateway, type AnyGatewayOptions, createAnyGateway } from './any-gateway.ts';

export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

export interface Api {
  readonly port: number;
  /** Everything that arrived, in order. */
  readonly seen: SeenRequest[];
  readonly server: Server;
  stop(): Promise<void>;
}

export type Answer = (request: SeenRequest, response: ServerResponse) => void;

/** Starts an API; it keeps what arrives and answers by `answer`. */
export async function startApi(answer: Answer): Promise<Api> {
  const seen: SeenRequest[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers, rawHeaders } = request;
      const one = { method, url, headers, rawHeaders, body: Buffer.concat(chunks).toString('latin1') };
      seen.push(one);
      answer(one, response);
    });
    request.on('error', () => {});
  });
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  return {
    port,
    seen,
    server,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export function json(response: ServerResponse, value: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(value));
}

export const apiToken = 'upstream-token-that-nobody-may-see';

/** A gateway with the target `crm` in front of the API, with a bearer token of its own. */
export async function startCrm(
  api: Api,
  options: Partial<AnyGatewayOptions> & { readonly target?: Readonly<Record<string, unknown>> } = {},
): Promise<AnyGateway> {
  const { target = {}, ...rest } = options;
  return createAnyGateway({
    listen: ['http'],
    targets: [
      {
        name: 'crm',
        connector: 'http',
        address: `127.0.0.1:${api.port}`,
        tls: 'disable',
        credential: { bearer: 'file:token' },
        ...target,
      },
    ],
    files: { token: apiToken },
    ...rest,
  });
}
