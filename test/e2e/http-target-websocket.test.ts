// WebSockets through a real gateway: undici's client in front, a server of this test's own behind.
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { MessageReader, writeFrame } from '@sluice/connectors/http/websocket/frames.ts';
import { WebSocket } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AnyGateway } from '../harness/any-gateway.ts';
import { type Api, apiToken, json, startApi, startCrm } from '../harness/http-api.ts';
import { recordedEvents, sessionRecordings } from '../harness/recorded-events.ts';

const email = 'ada.lovelace@example.com';
const policies = `
@id("all") permit (principal, action, resource)
  unless { [Action::"http:opaque", Action::"http:websocket", Action::"reveal"].contains(action) };
@id("chat") permit (principal, action == Action::"http:websocket", resource in Endpoint::"crm/chat");
`;

let api: Api;
let gateway: AnyGateway;
let token: string;
/** What the server was sent. */
const got: string[] = [];
const sockets: Socket[] = [];
let asked: { readonly url: string; readonly authorization: string } | undefined;

beforeAll(async () => {
  api = await startApi((_request, response) => json(response, {}));
  api.server.on('upgrade', (request, socket: Socket) => {
    sockets.push(socket);
    asked = { url: request.url ?? '', authorization: request.headers.authorization ?? '' };
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64');
    const wrong = request.url?.includes('wrong') ? 'x' : accept;
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${wrong}\r\n\r\n`,
    );
    const reader = new MessageReader('client', 1_000_000);
    socket.on('data', (chunk) => {
      for (const message of reader.push(chunk)) {
        if (message.kind === 'text') {
          got.push(message.data.toString());
          if (message.data.toString() === 'bytes') socket.write(writeFrame('binary', Buffer.from([1, 2])));
          else if (message.data.toString() === 'text') socket.write(writeFrame('text', Buffer.from(`mail ${email}`)));
          else socket.write(writeFrame('text', Buffer.from(JSON.stringify({ echo: message.data.toString(), email }))));
        }
        if (message.kind === 'close') socket.end();
      }
    });
  });
  gateway = await startCrm(api, { policies, masking: { labels: { 'pii.email': ['crm.**.email'] } } });
  token = await gateway.token({ sub: 'worker' });
});

afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  await gateway?.stop();
  await api?.stop();
});

function open(path: string): WebSocket {
  const { host, port } = gateway.at('http');
  return new WebSocket(`ws://${host}:${port}/t/crm${path}`, { headers: { authorization: `Bearer ${token}` } });
}

function next(
  socket: WebSocket,
  type: 'open' | 'message' | 'close' | 'error',
): Promise<{ data?: unknown; code?: number; reason?: string }> {
  return new Promise((resolve) => socket.addEventListener(type, (event) => resolve(event as never), { once: true }));
}

describe('a WebSocket', () => {
  test('carries messages both ways, masked, recorded, with the API’s own credential', async () => {
    const socket = open('/chat/1?room=2');
    await next(socket, 'open');
    socket.send('{"hello": "there"}');
    const { data } = await next(socket, 'message');
    expect(JSON.parse(String(data)).echo).toBe('{"hello": "there"}');
    expect(String(data)).not.toContain(email);
    expect(got.at(-1)).toBe('{"hello": "there"}');
    expect(asked).toEqual({ url: '/chat/1?room=2', authorization: `Bearer ${apiToken}` });
    const closed = next(socket, 'close');
    socket.close(1000, 'done');
    expect(await closed).toMatchObject({ code: 1000 });
    let events: Awaited<ReturnType<typeof recordedEvents>> = [];
    await expect
      .poll(async () => {
        for (const path of await sessionRecordings(gateway.dir)) {
          events = await recordedEvents(path).catch(() => []);
          if (JSON.stringify(events).includes('/chat/1')) return events.at(-1)?.['type'];
        }
        return undefined;
      })
      .toBe('seal');
    const types = events.map(({ type }) => type);
    expect(types).toContain('input');
    expect(types).toContain('output');
    expect(events.find(({ type, name }) => type === 'action' && name === 'WebSocket')).toMatchObject({
      effect: 'allow',
    });
    expect(JSON.stringify(events)).not.toContain(email);
  });

  test.each(['bytes', 'text'])('ends when %s would come that nothing can be masked in', async (what) => {
    const socket = open('/chat/1');
    await next(socket, 'open');
    const closed = next(socket, 'close');
    socket.send(what);
    expect(await closed).toMatchObject({ code: 1008 });
  });

  test('is not opened where policy does not permit it, and nothing arrives', async () => {
    asked = undefined;
    const socket = open('/other');
    await next(socket, 'close');
    expect(asked).toBeUndefined();
  });

  test('is not opened when the target answers with what was not asked for', async () => {
    const socket = open('/chat/wrong');
    await next(socket, 'close');
    expect(socket.readyState).toBe(WebSocket.CLOSED);
  });

  test('ends when its session is killed', async () => {
    const socket = open('/chat/1');
    await next(socket, 'open');
    const closed = next(socket, 'close');
    const operator = await gateway.apiAs({ sub: 'operator', groups: ['operators'] });
    const { items } = await operator.sessions({ live: true });
    await Promise.allSettled(items.map(({ id }) => operator.kill(id)));
    expect(await closed).toMatchObject({ code: 1001 });
  });
});
