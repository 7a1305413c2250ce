// Ways to get hold of the credential that the gateway has at an API, or to put another in its place: through a real
// gateway, in front of an API that tells everything it was sent.
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { MessageReader, writeFrame } from '@sluice/connectors/http/websocket/frames.ts';
import { WebSocket } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AnyGateway, createAnyGateway } from '../harness/any-gateway.ts';
import { type Api, apiToken, startApi, startCrm } from '../harness/http-api.ts';
import { askRaw } from '../harness/raw-http.ts';
import { recordedEvents, sessionRecordings } from '../harness/recorded-events.ts';

let api: Api;
let gateway: AnyGateway;
let token: string;

beforeAll(async () => {
  api = await startApi((request, response) => {
    const { authorization = '' } = request.headers;
    const secret = authorization.replace(/^Bearer /, '');
    const type = new URLSearchParams(request.url.split('?')[1]).get('type') ?? 'application/json';
    if (request.url.startsWith('/slowly')) {
      response.writeHead(200, { 'content-type': type });
      response.write(`{"seen": "${secret.slice(0, 9)}`);
      setTimeout(() => response.end(`${secret.slice(9)}"}`), 50);
      return;
    }
    if (request.url.startsWith('/field')) {
      response.writeHead(302, { location: `http://elsewhere.example/?token=${secret}`, 'x-debug': authorization });
      response.end();
      return;
    }
    const status = request.url.startsWith('/error') ? 500 : 200;
    response.writeHead(status, { 'content-type': type });
    const texts = [authorization, Buffer.from(secret).toString('base64'), encodeURIComponent(authorization)];
    response.end(type.includes('event-stream') ? `data: ${JSON.stringify(texts)}\n\n` : JSON.stringify(texts));
  });
  api.server.on('upgrade', (request, socket: Socket) => {
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64');
    const lines = ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${accept}`];
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`);
    const reader = new MessageReader('client', 1_000);
    socket.on('data', (chunk) => {
      for (const { kind } of reader.push(chunk)) {
        if (kind === 'text') socket.write(writeFrame('text', Buffer.from(JSON.stringify(request.headers))));
      }
    });
  });
  gateway = await startCrm(api);
  token = await gateway.token({ sub: 'worker' });
});

afterAll(async () => {
  await gateway?.stop();
  await api?.stop();
});

const forms = [apiToken, Buffer.from(apiToken).toString('base64').slice(0, 20), apiToken.slice(9)];

describe('the credential of the gateway, which the API echoes', () => {
  test.each([
    ['in a document', '/echo'],
    ['in an error', '/error'],
    ['in a text', '/echo?type=text/plain'],
    ['in an event', '/echo?type=text/event-stream'],
    ['in a line', '/echo?type=application/x-ndjson'],
    ['in bytes', '/echo?type=application/octet-stream'],
    ['in two pieces', '/slowly'],
    ['in two pieces of a text', '/slowly?type=text/plain'],
    ['in two pieces of bytes', '/slowly?type=image/png'],
    ['in header fields', '/field'],
  ])('%s does not reach a client that may see everything', async (_name, path) => {
    const { text, status } = await askRaw(gateway, { path, token });
    expect(status).toBeGreaterThan(0);
    for (const form of forms) expect(text).not.toContain(form);
    expect(api.seen.at(-1)?.headers['authorization']).toBe(`Bearer ${apiToken}`);
  });

  test('over a WebSocket does not reach a client that may see everything', async () => {
    const { host, port } = gateway.at('http');
    const socket = new WebSocket(`ws://${host}:${port}/t/crm/echo`, { headers: { authorization: `Bearer ${token}` } });
    const came = new Promise<string>((resolve, reject) => {
      socket.addEventListener('message', ({ data }) => resolve(String(data)));
      socket.addEventListener('close', () => reject(new Error('closed')));
    });
    socket.addEventListener('open', () => socket.send('tell'));
    const message = await came;
    socket.close();
    expect(message).toContain('authorization');
    for (const form of forms) expect(message).not.toContain(form);
  });

  test('is in no recording', async () => {
    await askRaw(gateway, { path: '/echo?mark=recorded-echo', token });
    let text = '';
    await expect
      .poll(async () => {
        for (const path of await sessionRecordings(gateway.dir)) {
          const events = await recordedEvents(path).catch(() => []);
          text = JSON.stringify(events);
          if (text.includes('recorded-echo') && events.at(-1)?.['type'] === 'seal') return true;
        }
        return false;
      })
      .toBe(true);
    expect(text).toContain('credential_hidden');
    for (const form of forms) expect(text).not.toContain(form);
  });
});

describe('a credential of the client’s own', () => {
  const names = ['cookie', 'x-api-key', 'x-csrf-token'];
  let other: AnyGateway;
  let proof: string;

  beforeAll(async () => {
    other = await createAnyGateway({
      listen: ['http'],
      targets: names.map((name) => ({
        name: `by-${name}`,
        connector: 'http',
        address: `127.0.0.1:${api.port}`,
        tls: 'disable',
        header_name: name,
        request_headers: ['x-api-key'],
        credential: { header: 'file:secret' },
      })),
      files: { secret: 'session=of-the-gateway' },
    });
    proof = await other.token({ sub: 'worker' });
  });

  afterAll(async () => {
    await other?.stop();
  });

  test.each(names)('does not come in front of the one that the gateway sends as %s', async (name) => {
    const asked = { path: '/notes', token: proof, target: `by-${name}`, headers: [`${name}: session=mine`] };
    expect((await askRaw(other, asked)).status).toBe(200);
    expect(api.seen.at(-1)?.headers[name]).toBe('session=of-the-gateway');
  });
});
