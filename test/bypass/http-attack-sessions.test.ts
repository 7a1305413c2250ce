// Several principals on one connection, approvals for one request and another that is sent, sessions that end while
// something runs in them. A real gateway in front of an API that streams, and tells what it saw.

import type { ServerResponse } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AnyGateway } from '../harness/any-gateway.ts';
import { type Api, json, startApi, startCrm } from '../harness/http-api.ts';
import { askRaw, openHttp, rawHttp } from '../harness/raw-http.ts';
import { recordedEvents, sessionRecordings } from '../harness/recorded-events.ts';

const policies = `
@id("connect") permit (principal, action == Action::"connect", resource);
@id("notes") permit (principal, action in [Action::"http:read", Action::"http:write"], resource in Endpoint::"crm/notes");
@id("secrets") permit (principal in Group::"trusted", action == Action::"http:read", resource in Endpoint::"crm/secrets");
@id("operators") permit (principal in Group::"operators", action, resource);
@id("pay") permit (principal, action == Action::"http:write", resource in Endpoint::"crm/payments");
@id("ask") @approval("reviewers") @reason("Payments need consent.")
forbid (principal, action == Action::"http:write", resource in Endpoint::"crm/payments");
`;

let api: Api;
let gateway: AnyGateway;
let token: string;
let trusted: string;
const streams: ServerResponse[] = [];

beforeAll(async () => {
  api = await startApi((request, response) => {
    if (request.url.startsWith('/notes/stream')) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: {"first": true}\n\n');
      streams.push(response);
    } else json(response, { seen: request.url });
  });
  gateway = await startCrm(api, {
    policies,
    target: { request_headers: ['x-tenant'] },
  });
  token = await gateway.token({ sub: 'worker' });
  trusted = await gateway.token({ sub: 'ada', groups: ['trusted'] });
});

afterAll(async () => {
  for (const stream of streams) stream.destroy();
  await gateway?.stop();
  await api?.stop();
});

const head = (line: string, proof: string, ...more: readonly string[]): string =>
  `${[`${line} HTTP/1.1`, 'host: crm', `authorization: Bearer ${proof}`, ...more].join('\r\n')}\r\n\r\n`;

async function arrived(act: () => Promise<unknown>): Promise<readonly string[]> {
  const before = api.seen.length;
  await act();
  return api.seen.slice(before).map(({ method, url }) => `${method} ${url}`);
}

/** Principals of the recordings in which a text stands. */
async function recordedFor(mark: string): Promise<readonly unknown[]> {
  const found: unknown[] = [];
  for (const path of await sessionRecordings(gateway.dir)) {
    const events = await recordedEvents(path).catch(() => []);
    if (events.some((event) => event['type'] === 'action' && JSON.stringify(event['text']).includes(mark))) {
      found.push(JSON.stringify(events[0]));
    }
  }
  return found;
}

describe('principals on one connection', () => {
  test('are each judged, and recorded, as who they are', async () => {
    let text = '';
    const bytes =
      head('GET /notes/of-the-worker', token) +
      head('GET /secrets/of-ada', trusted) +
      head('GET /secrets/of-the-worker', token) +
      head('GET /secrets/nobody', 'x') +
      head('GET /secrets/of-ada-again', trusted, 'connection: close');
    expect(await arrived(async () => (text = await rawHttp(gateway, bytes)))).toEqual([
      'GET /notes/of-the-worker',
      'GET /secrets/of-ada',
      'GET /secrets/of-ada-again',
    ]);
    expect(text.match(/HTTP\/1\.1 \d{3}/g)).toEqual([200, 200, 403, 401, 200].map((status) => `HTTP/1.1 ${status}`));
    await expect.poll(() => recordedFor('/secrets/of-ada-again')).toHaveLength(1);
    const [ada] = await recordedFor('/secrets/of-ada');
    const [worker] = await recordedFor('/secrets/of-the-worker');
    expect(ada).toContain('#ada');
    expect(ada).not.toContain('#worker');
    expect(worker).toContain('#worker');
    expect(await recordedFor('/secrets/nobody')).toEqual([]);
  });

  test('are each judged as who they are on streams at the same time', async () => {
    const { host, port } = gateway.at('http');
    const session = connectHttp2(`http://${host}:${port}`);
    const ask = (path: string, proof: string): Promise<number> =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ':path': path, ':authority': 'crm', authorization: `Bearer ${proof}` });
        let status = 0;
        stream.on('response', (headers) => {
          status = Number(headers[':status']);
        });
        stream.on('error', reject);
        stream.on('close', () => resolve(status));
        stream.resume();
      });
    const paths = Array.from({ length: 12 }, (_, i) => `/secrets/${i}`);
    const seen = await arrived(async () => {
      const statuses = await Promise.all(paths.map((path, i) => ask(path, [token, trusted, 'x'][i % 3] ?? '')));
      expect(statuses).toEqual(paths.map((_, i) => [403, 200, 401][i % 3]));
    });
    expect([...seen].sort()).toEqual(['GET /secrets/1', 'GET /secrets/10', 'GET /secrets/4', 'GET /secrets/7']);
    session.close();
  });

  test('that say they are somebody else in other fields are not', async () => {
    for (const line of [
      'sluice-authorization: Bearer',
      'proxy-authorization: Bearer',
      'x-forwarded-user:',
      'cookie: authorization=',
    ]) {
      const seen = await arrived(() =>
        rawHttp(gateway, head('GET /secrets/1', token, `${line} ${trusted}`, 'connection: close')),
      );
      expect(seen).toEqual([]);
    }
  });
});

describe('an approval', () => {
  const body = '{"to": "x", "amount": 5000}';
  const type = 'content-type: application/json';
  const pay = (proof: string, headers: readonly string[] = [type], path = '/payments?a=1&b=2', sent = body) =>
    askRaw(gateway, { method: 'POST', path, token: proof, headers: ['prefer: respond-async', ...headers], body: sent });

  test('is for the request that was shown, of the principal who asked, once', async () => {
    const held = await pay(token);
    expect(held.status).toBe(202);
    const { request: id } = JSON.parse(held.body) as { request: string };
    const reviewer = await gateway.apiAs({ sub: 'boss', groups: ['reviewers'] });
    await reviewer.approve(id);
    const others: readonly (readonly [string, () => ReturnType<typeof pay>])[] = [
      ['another principal', () => pay(trusted)],
      ['another order of parameters', () => pay(token, [type], '/payments?b=2&a=1')],
      ['another parameter', () => pay(token, [type], '/payments?a=1&b=2&c')],
      ['a slash more', () => pay(token, [type], '/payments/?a=1&b=2')],
      ['other blanks in the body', () => pay(token, [type], undefined, body.replaceAll(' ', ''))],
      ['another type', () => pay(token, ['content-type: text/plain'])],
      ['a condition', () => pay(token, [type, 'if-match: *'])],
      ['a field that the API knows', () => pay(token, [type, 'x-tenant: other'])],
      ['a cookie', () => pay(token, [type, 'cookie: tenant=other'])],
    ];
    for (const [name, other] of others) {
      const seen = await arrived(async () => {
        const answer = await other();
        expect([name, answer.status]).toEqual([name, 202]);
        expect((JSON.parse(answer.body) as { request: string }).request).not.toBe(id);
      });
      expect(seen).toEqual([]);
    }
    // What is written otherwise and is the same request collects it, and only one of two at once.
    const seen = await arrived(async () => {
      const both = await Promise.all([pay(token, [type], '/p%61yments?a=1&b=2'), pay(token)]);
      expect(both.map(({ status }) => status).filter((status) => status === 200)).toHaveLength(1);
    });
    expect(seen).toEqual(['POST /payments?a=1&b=2']);
    expect(api.seen.at(-1)).toMatchObject({ url: '/payments?a=1&b=2', body });
  });

  test('shows who decides what the fields of the header are', async () => {
    const held = await pay(token, [type, 'x-tenant: of-somebody-else']);
    const { request: id } = JSON.parse(held.body) as { request: string };
    const reviewer = await gateway.apiAs({ sub: 'boss', groups: ['reviewers'] });
    expect(JSON.stringify(await reviewer.accessRequest(id))).toContain('x-tenant: of-somebody-else');
  });

  test('that is given after the client has gone runs nothing', async () => {
    const socket = openHttp(gateway);
    const length = `content-length: ${body.length}`;
    socket.write(head('POST /payments?gone', token, type, length) + body);
    const reviewer = await gateway.apiAs({ sub: 'boss', groups: ['reviewers'] });
    const find = async (state: 'pending' | 'cancelled'): Promise<string | undefined> => {
      const { items } = await reviewer.accessRequests({ state });
      return items.find((each) => JSON.stringify(each).includes('/payments?gone'))?.id;
    };
    await expect.poll(() => find('pending')).toBeDefined();
    socket.destroy();
    await expect.poll(() => find('cancelled')).toBeDefined();
    const id = (await find('cancelled')) ?? '';
    const seen = await arrived(async () => {
      await expect(reviewer.approve(id)).rejects.toThrow();
    });
    expect(seen).toEqual([]);
  });
});

describe('a session that is killed', () => {
  const operator = () => gateway.apiAs({ sub: 'operator', groups: ['operators'] });

  test('gets no more of an answer that is under way, and lets go of the target', async () => {
    const proof = await gateway.token({ sub: 'streamer' });
    const socket = openHttp(gateway);
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write(head('GET /notes/stream', proof));
    await expect.poll(() => text).toContain('first');
    const stream = streams.at(-1);
    const left = new Promise((resolve) => stream?.once('close', resolve));
    const { items } = await (await operator()).sessions({});
    const session = items.find((each) => JSON.stringify(each).includes('streamer'));
    await (await operator()).kill(session?.id ?? '');
    await closed;
    await left;
    stream?.write('data: {"second": true}\n\n');
    expect(text).not.toContain('second');
    // No end that a client could take for the answer's own.
    expect(text).not.toMatch(/\r\n0\r\n\r\n$/);
  });

  test('sends no more of a body that is under way, and no whole one', async () => {
    const proof = await gateway.token({ sub: 'uploader' });
    const socket = openHttp(gateway);
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.resume();
    const began = new Promise<void>((resolve) => {
      api.server.prependOnceListener('request', (request) => request.once('data', () => resolve()));
    });
    socket.write(head('PUT /notes/upload', proof, 'content-type: image/png', 'transfer-encoding: chunked'));
    socket.write('5\r\nfirst\r\n');
    await began;
    const { items } = await (await operator()).sessions({});
    const session = items.find((each) => JSON.stringify(each).includes('uploader'));
    const seen = await arrived(async () => {
      await (await operator()).kill(session?.id ?? '');
      socket.write('6\r\nsecond\r\n0\r\n\r\n');
      await closed;
    });
    expect(seen).toEqual([]);
  });

  test('by a revocation loses its connection, and does not begin anew', async () => {
    const { id, secret } = await (await gateway.apiAs({ sub: 'ada' })).issueAccessCredential({
      target: 'crm',
      ttl: '10m',
    } as never);
    const socket = openHttp(gateway);
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write(head('GET /notes/1', `${id}:${secret}`));
    await expect.poll(() => text).toContain('/notes/1');
    await (await gateway.apiAs({ sub: 'ada' })).revokeAccessCredential(id);
    const seen = await arrived(async () => {
      await closed;
      expect(await rawHttp(gateway, head('GET /notes/3', `${id}:${secret}`, 'connection: close'))).toMatch(
        /^HTTP\/1\.1 401/,
      );
    });
    expect(seen).toEqual([]);
  });
});

test('upgrades that are not taken up do not pile up on their connection', async () => {
  const warnings: string[] = [];
  const warned = (warning: Error): void => void warnings.push(warning.name);
  process.on('warning', warned);
  const fields = ['upgrade: h2c', 'connection: upgrade, http2-settings', 'http2-settings: AAA'];
  const text = await rawHttp(gateway, head('GET /notes/1', token, ...fields).repeat(4));
  expect(text.match(/HTTP\/1\.1 \d{3}/g)).toEqual(Array.from({ length: 4 }, () => 'HTTP/1.1 200'));
  expect(text.toLowerCase()).toContain('connection: close');
  process.off('warning', warned);
  expect(warnings).toEqual([]);
});
