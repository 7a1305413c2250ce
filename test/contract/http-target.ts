/** An API for the contract suite, and a gateway in front of it. */
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { createAnyGateway } from '../harness/any-gateway.ts';
import { apiToken, json, type SeenRequest, startApi } from '../harness/http-api.ts';
import type { ContractGateway, ContractTarget, GatewayOptions } from './adapter.ts';

const targetName = 'api';
const emails = ['ada.lovelace@example.com', 'grace.hopper@example.com'];
const customers = emails.map((email, index) => ({ id: index + 1, email }));

export async function startTarget(): Promise<ContractTarget> {
  const running = new Map<object, string>();
  const api = await startApi((asked, response) => {
    const { pathname, searchParams } = new URL(asked.url, 'http://api');
    const [, place = '', name = ''] = pathname.split('/');
    running.set(response, textOf(asked));
    response.once('close', () => running.delete(response));
    switch (place) {
      case 'slow':
        return;
      case 'echo':
        return json(response, { text: searchParams.get('text') ?? asked.body.length });
      case 'missing':
        return json(response, { error: `there is no ${name}` }, 404);
      case 'items':
        return json(
          response,
          Array.from({ length: Number(searchParams.get('count')) }, (_, index) => index),
        );
      case 'large':
        response.writeHead(200, { 'content-type': 'application/x-ndjson' });
        Readable.from(lines())
          .on('error', () => {})
          .pipe(response);
        return;
      case 'graphql':
        return json(response, { data: asked.method === 'GET' ? { ok: true } : { customer: customers[0] } });
      case 'customers': {
        const { status = 200, type = 'application/json', body, headers = {} } = shown[name] ?? { body: '[]' };
        response.writeHead(status, { 'content-type': type, ...headers });
        response.end(body);
        return;
      }
      default:
        return json(response, { done: true });
    }
  });
  return {
    address: { host: '127.0.0.1', port: api.port },
    credentials: [apiToken],
    labelled: emails,
    executed: async () => api.seen.map(textOf),
    running: async () => [...running.values()],
    effects: async (tag) =>
      api.seen.filter(({ url, body }) => url === '/effects' && body === JSON.stringify({ tag })).length,
    carries: (bytes, tag) => bytes.includes(tag),
    stop: () => api.stop(),
  };
}

interface Shown {
  readonly status?: number;
  readonly type?: string;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Customers in every form of answer. */
const shown: Readonly<Record<string, Shown>> = {
  json: { body: JSON.stringify(customers) },
  deep: { type: 'application/vnd.api+json', body: JSON.stringify({ data: [{ attributes: customers }] }) },
  nested: { body: JSON.stringify({ payload: JSON.stringify({ customers }) }) },
  packed: { body: gzipSync(JSON.stringify(customers)), headers: { 'content-encoding': 'gzip' } },
  lines: { type: 'application/x-ndjson', body: customers.map((each) => `${JSON.stringify(each)}\n`).join('') },
  events: { type: 'text/event-stream', body: customers.map((each) => `data: ${JSON.stringify(each)}\n\n`).join('') },
  text: { type: 'text/plain', body: `write to ${emails[0]} today` },
  page: { type: 'text/html; charset=utf-8', body: `<a href="mailto:${emails[0]}">Ada</a>` },
  header: { body: '{}', headers: { 'x-contact': emails[0] ?? '' } },
  failure: { status: 422, body: JSON.stringify({ error: { customer: customers[0] } }) },
};

/** More than sockets and relays hold by themselves. */
function* lines(): Iterable<string> {
  const line = `${JSON.stringify({ text: 'x'.repeat(12_000) })}\n`;
  for (let count = 0; count < 9_000; count++) yield line;
}

function textOf({ method, url, body }: SeenRequest): string {
  return body === '' ? `${method} ${url}` : `${method} ${url}\n\n${body}`;
}

export async function startGateway(options: GatewayOptions): Promise<ContractGateway> {
  const { upstream, policies, dataDir, config } = options;
  const gateway = await createAnyGateway({
    listen: ['http'],
    targets: [
      {
        name: targetName,
        connector: 'http',
        address: `${upstream.host}:${upstream.port}`,
        tls: 'disable',
        credential: { bearer: 'file:token' },
        graphql_paths: ['/graphql'],
      },
    ],
    files: { token: apiToken },
    masking: { labels: { 'pii.email': [`${targetName}.**.email`] }, detect_text: ['pii.email'] },
    policies,
    dataDir,
    config,
  });
  return { ...gateway, address: gateway.at('http'), targetName };
}
