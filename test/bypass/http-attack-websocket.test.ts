// WebSocket by hand, on both sides of a real gateway: frames that no client sends, things said on leaving, more parts
// than anybody keeps, handshakes that are none.
import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { closeFrame, type Message, MessageReader, writeFrame } from '@sluice/connectors/http/websocket/frames.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AnyGateway } from '../harness/any-gateway.ts';
import { type Api, json, startApi, startCrm } from '../harness/http-api.ts';
import { openHttp, rawHttp } from '../harness/raw-http.ts';
import { recordedEvents, sessionRecordings } from '../harness/recorded-events.ts';

const key = 'dGhlIHNhbXBsZSBub25jZQ==';
const mask = Buffer.from([1, 2, 3, 4]);

let api: Api;
let gateway: AnyGateway;
let token: string;
/** What arrived at the API over WebSockets. */
let arrived: Message[] = [];
let atApi: Socket | undefined;
let handshakes = 0;

beforeAll(async () => {
  api = await startApi((_request, response) => json(response, {}));
  api.server.on('upgrade', (request, socket: Socket) => {
    handshakes += 1;
    atApi = socket;
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64');
    const wrong = request.url === '/wrong' ? 'x' : accept;
    const lines = ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${wrong}`];
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`);
    const reader = new MessageReader('client', 10_000_000);
    socket.on('data', (chunk) => {
      for (const message of reader.push(chunk)) {
        arrived.push(message);
        if (message.kind === 'close') socket.end(closeFrame(1000, ''));
      }
    });
  });
  gateway = await startCrm(api, {
    masking: { detect_text: ['pii.email'] },
    policies: `
@id("all") permit (principal, action, resource) unless { action == Action::"reveal" };
`,
  });
  token = await gateway.token({ sub: 'worker' });
});

afterAll(async () => {
  atApi?.destroy();
  await gateway?.stop();
  await api?.stop();
});

function upgrade(path = '/chat', ...more: readonly string[]): string {
  const lines = ['host: crm', `authorization: Bearer ${token}`, 'upgrade: websocket', 'connection: Upgrade'];
  const own = ['sec-websocket-version: 13', `sec-websocket-key: ${key}`];
  return `${[`GET ${path} HTTP/1.1`, ...lines, ...own, ...more].join('\r\n')}\r\n\r\n`;
}

interface Opened {
  readonly socket: Socket;
  readonly messages: Message[];
  readonly closed: Promise<void>;
}

async function open(path?: string): Promise<Opened> {
  arrived = [];
  const socket = openHttp(gateway);
  const messages: Message[] = [];
  const reader = new MessageReader('target', 10_000_000);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    let head = Buffer.alloc(0);
    let opened = false;
    socket.on('data', (chunk: Buffer) => {
      if (opened) {
        messages.push(...reader.push(chunk));
        return;
      }
      head = Buffer.concat([head, chunk]);
      const at = head.indexOf('\r\n\r\n');
      if (at < 0) return;
      if (!head.toString('latin1').startsWith('HTTP/1.1 101')) reject(new Error(head.toString('latin1')));
      opened = true;
      messages.push(...reader.push(head.subarray(at + 4)));
      resolve();
    });
    socket.write(upgrade(path));
  });
  return { socket, messages, closed };
}

const codeOf = ({ messages }: Opened): number | undefined => {
  const last = messages.at(-1);
  return last?.kind === 'close' ? last.code : undefined;
};

describe('a frame', () => {
  const text = (bytes: Buffer, first: number, second: number): Buffer =>
    Buffer.concat([Buffer.from([first, second]), mask, bytes]);

  test.each<[string, Buffer]>([
    ['that is not masked', writeFrame('text', Buffer.from('x'))],
    ['with a bit of an extension', text(Buffer.from('x'), 0xc1, 0x81)],
    ['of an unknown kind', text(Buffer.from('x'), 0x83, 0x81)],
    ['of an unknown control', text(Buffer.from('x'), 0x8b, 0x81)],
    ['that continues nothing', text(Buffer.from('x'), 0x80, 0x81)],
    [
      'that begins within another',
      Buffer.concat([text(Buffer.from('x'), 0x01, 0x81), text(Buffer.from('x'), 0x81, 0x81)]),
    ],
    ['that is a ping in parts', text(Buffer.from('x'), 0x09, 0x81)],
    ['that is a long ping', Buffer.concat([Buffer.from([0x89, 0xfe, 0, 200]), mask, Buffer.alloc(200)])],
    ['of a length that wraps', Buffer.concat([Buffer.from([0x81, 0xff]), Buffer.alloc(8, 0xff), mask])],
    ['of a length in too many bytes', Buffer.concat([Buffer.from([0x81, 0xfe, 0, 1]), mask, Buffer.from('x')])],
    ['of a text that is no UTF-8', writeFrame('text', Buffer.from([0xff]), mask)],
    ['that closes with one byte', writeFrame('close', Buffer.from([3]), mask)],
    ['that closes with no code', closeFrame(1006, '', mask)],
  ])('%s ends it, and does not arrive', async (_name, bytes) => {
    const opened = await open();
    opened.socket.write(bytes);
    await opened.closed;
    expect([1008, 1009]).toContain(codeOf(opened));
    expect(arrived.filter(({ kind }) => kind !== 'close')).toEqual([]);
  });

  test('in more parts than anybody keeps ends it, however small they are', async () => {
    const opened = await open();
    const empty = text(Buffer.alloc(0), 0x00, 0x80);
    opened.socket.write(
      Buffer.concat([text(Buffer.alloc(0), 0x01, 0x80), ...Array.from({ length: 20_000 }, () => empty)]),
    );
    await opened.closed;
    expect(codeOf(opened)).toBe(1009);
    expect(arrived.filter(({ kind }) => kind !== 'close')).toEqual([]);
  });

  test('with a ping between the parts of a message arrives as the message alone', async () => {
    const opened = await open();
    const [a, b] = [text(Buffer.from([0x69]), 0x01, 0x81), text(Buffer.from([0x6b]), 0x80, 0x81)];
    opened.socket.write(Buffer.concat([a, writeFrame('ping', Buffer.from('p'), mask), b]));
    await expect.poll(() => arrived.length).toBe(1);
    expect(arrived[0]).toMatchObject({ kind: 'text', data: Buffer.from('hj') });
    opened.socket.destroy();
  });
});

describe('what is said on leaving', () => {
  test('arrives, and is in the recording', async () => {
    const opened = await open('/chat?mark=said-on-leaving');
    opened.socket.write(closeFrame(1000, 'goodbye and 4711', mask));
    await opened.closed;
    expect(arrived.at(-1)).toMatchObject({ kind: 'close', code: 1000, reason: 'goodbye and 4711' });
    let input = '';
    await expect
      .poll(async () => {
        for (const path of await sessionRecordings(gateway.dir)) {
          const events = await recordedEvents(path).catch(() => []);
          if (!JSON.stringify(events).includes('said-on-leaving') || events.at(-1)?.['type'] !== 'seal') continue;
          input = JSON.stringify(events.filter(({ type }) => type === 'input'));
          return true;
        }
        return false;
      })
      .toBe(true);
    expect(input).toMatch(new RegExp(`goodbye and 4711|${Buffer.from('goodbye and 4711').toString('base64')}`));
  });

  test('by the API is masked', async () => {
    const opened = await open();
    atApi?.write(closeFrame(1000, 'ask ada.lovelace@example.com'));
    await opened.closed;
    expect(JSON.stringify(opened.messages)).not.toContain('lovelace');
    expect(codeOf(opened)).toBe(1000);
  });
});

describe('a handshake', () => {
  test.each<[string, readonly string[]]>([
    ['with another version', ['sec-websocket-version: 8']],
    ['with two keys', [`sec-websocket-key: ${key}`]],
    ['with a body', ['content-length: 5']],
    ['with chunks', ['transfer-encoding: chunked']],
    ['with two upgrades', ['upgrade: h2c']],
  ])('%s is refused and goes nowhere', async (_name, more) => {
    const before = handshakes;
    const lines = more.some((line) => line.startsWith('sec-websocket-version'))
      ? upgrade('/chat', ...more).replace('sec-websocket-version: 13\r\n', '')
      : upgrade('/chat', ...more);
    expect(await rawHttp(gateway, lines)).toMatch(/^HTTP\/1\.1 400/);
    expect(handshakes).toBe(before);
  });

  test('with a request behind it is no request', async () => {
    const before = api.seen.length;
    const smuggled = `GET /smuggled HTTP/1.1\r\nhost: crm\r\nauthorization: Bearer ${token}\r\n\r\n`;
    const text = await rawHttp(gateway, upgrade(), smuggled);
    expect(text).toMatch(/^HTTP\/1\.1 101/);
    expect(text).not.toContain('HTTP/1.1 200');
    expect(api.seen.length).toBe(before);
  });

  test('that the API answers wrongly is refused, and its connection is closed', async () => {
    const closed = new Promise<void>((resolve) => {
      api.server.once('upgrade', (_request, socket: Socket) => socket.once('end', () => resolve()));
    });
    expect(await rawHttp(gateway, upgrade('/wrong'))).toMatch(/^HTTP\/1\.1 502/);
    await closed;
  });
});
