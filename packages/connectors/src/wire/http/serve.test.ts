// One server over real sockets, and clients that say things no library would.
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { serverTls } from '@sluice/server/network/client-link.ts';
import { type Listener, listen } from '@sluice/server/network/listener.ts';
import { afterEach, describe, expect, test } from 'vitest';
import { createTestCa } from '../../../../../test/harness/test-ca.ts';
import { wholeBody } from './body.ts';
import type { HttpExchange, HttpRefusal } from './exchange.ts';
import { serveHttp } from './serve.ts';
import type { ServeOptions } from './served-connection.ts';

const limits = { preAuthBytes: 16 * 1024, preAuthTime: 1_000, messageBytes: 64 * 1024, statementBytes: 64 * 1024 };
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const undo: (() => unknown)[] = [];

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

interface Served {
  readonly port: number;
  readonly refusals: HttpRefusal[];
  readonly failures: unknown[];
  readonly seen: HttpExchange[];
  readonly ca?: string;
}

async function served(
  onExchange: (exchange: HttpExchange) => Promise<void> = echo,
  more: Partial<ServeOptions> & { readonly tls?: boolean; readonly limits?: typeof limits } = {},
): Promise<Served> {
  const refusals: HttpRefusal[] = [];
  const failures: unknown[] = [];
  const seen: HttpExchange[] = [];
  const ca = more.tls ? await createTestCa() : undefined;
  const certificate = await ca?.issue(['localhost', '127.0.0.1']);
  const tls = certificate && serverTls(Buffer.from(certificate.cert), Buffer.from(certificate.key));
  const listener: Listener = await listen({ host: '127.0.0.1', port: 0 }, 'test', tls, quiet, (link) =>
    serveHttp(link, {
      limits,
      onExchange: (exchange) => {
        seen.push(exchange);
        return onExchange(exchange);
      },
      onRefused: (refusal) => refusals.push(refusal),
      onFailure: (error) => failures.push(error),
      ...more,
    }),
  );
  undo.push(async () => {
    await listener.close();
    listener.destroy();
  });
  return { port: listener.address.port, refusals, failures, seen, ...(ca ? { ca: ca.cert } : {}) };
}

/** Answers with what came: method, path, and the body. */
async function echo(exchange: HttpExchange): Promise<void> {
  const body = exchange.hasBody ? await wholeBody(exchange.body) : Buffer.alloc(0);
  await exchange.answer(
    { status: 200, headers: [['content-type', 'text/plain']] },
    Buffer.from(`${exchange.method} ${exchange.path} ${exchange.authority} [${body.toString('latin1')}]`),
  );
}

async function raw(port: number, ...parts: readonly (string | Buffer)[]): Promise<string> {
  const socket: Socket = connect({ port, host: '127.0.0.1' });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => {});
  await new Promise((resolve) => socket.once('connect', resolve));
  for (const part of parts) {
    socket.write(typeof part === 'string' ? Buffer.from(part, 'latin1') : part);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await new Promise((resolve) => socket.once('close', resolve));
  return Buffer.concat(chunks).toString('latin1');
}

const last = 'GET /end HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n';

describe('HTTP/1.1', () => {
  test('answers one request after the other on one connection, also when they come at once', async () => {
    const { port, seen } = await served();
    const answer = await raw(
      port,
      `POST /a?x=1 HTTP/1.1\r\nHost: API.example:80\r\ncontent-length: 3\r\n\r\nabcGET /b HTTP/1.1\r\nhost: a\r\n\r\n${last}`,
    );
    expect(answer.match(/\r\n\r\n([^\r\n]*\])/g)).toEqual([
      '\r\n\r\nPOST /a?x=1 api.example:80 [abc]',
      '\r\n\r\nGET /b a []',
      '\r\n\r\nGET /end a []',
    ]);
    expect(seen).toHaveLength(3);
  });

  test('does not begin an exchange before the one ahead of it is answered', async () => {
    const order: string[] = [];
    let release = (): void => {};
    const first = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { port } = await served(async (exchange) => {
      order.push(`begin ${exchange.path}`);
      if (exchange.path === '/1') await first;
      order.push(`end ${exchange.path}`);
      await exchange.answer({ status: 200, headers: [] });
    });
    const answer = raw(port, 'GET /1 HTTP/1.1\r\nhost: a\r\n\r\nGET /2 HTTP/1.1\r\nhost: a\r\n\r\n', last);
    await expect.poll(() => order).toContain('begin /1');
    release();
    await answer;
    expect(order).toEqual(['begin /1', 'end /1', 'begin /2', 'end /2', 'begin /end', 'end /end']);
  });

  test.each([
    ['Content-Length twice', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\nx'],
    ['two values of Content-Length', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1, 1\r\n\r\nx'],
    ['a signed Content-Length', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: +1\r\n\r\nx'],
    [
      'Content-Length and Transfer-Encoding',
      'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['an unknown transfer coding', 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
    [
      'chunked that is not the last coding',
      'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n',
    ],
    [
      'chunked twice',
      'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'Transfer-Encoding with a blank before the colon',
      'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding : chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a tab in front of the coding', 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding:\x0bchunked\r\n\r\n0\r\n\r\n'],
    ['Transfer-Encoding in HTTP/1.0', 'POST / HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a folded header', 'GET / HTTP/1.1\r\nhost: a\r\nx-a: b\r\n c\r\n\r\n'],
    ['a bare line feed', 'GET / HTTP/1.1\nhost: a\n\n'],
    ['a bare line feed after one field', 'GET / HTTP/1.1\r\nhost: a\nx-a: b\r\n\r\n'],
    ['a bare carriage return', 'GET / HTTP/1.1\r\nhost: a\rx-a: b\r\n\r\n'],
    ['a NUL in a value', 'GET / HTTP/1.1\r\nhost: a\r\nx-a: b\x00c\r\n\r\n'],
    [
      'a chunk size with a sign',
      'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n+1\r\nx\r\n0\r\n\r\n',
    ],
    [
      'a chunk without its line end',
      'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n1\r\nxx0\r\n\r\n',
    ],
    [
      'a chunk size that overflows',
      'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\nx',
    ],
    ['absolute form', 'GET http://b/ HTTP/1.1\r\nhost: a\r\n\r\n'],
    ['authority form', 'GET b:80 HTTP/1.1\r\nhost: a\r\n\r\n'],
    ['CONNECT', 'CONNECT b:80 HTTP/1.1\r\nhost: b:80\r\n\r\n'],
    ['asterisk form', 'OPTIONS * HTTP/1.1\r\nhost: a\r\n\r\n'],
    ['a fragment', 'GET /a#b HTTP/1.1\r\nhost: a\r\n\r\n'],
    ['bytes beyond ASCII in the path', 'GET /\xe4 HTTP/1.1\r\nhost: a\r\n\r\n'],
    ['a blank in the path', 'GET /a b HTTP/1.1\r\nhost: a\r\n\r\n'],
    ['no host', 'GET / HTTP/1.1\r\n\r\n'],
    ['an empty host', 'GET / HTTP/1.1\r\nhost:\r\n\r\n'],
    ['two hosts', 'GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n'],
    ['a host with userinfo', 'GET / HTTP/1.1\r\nhost: a@b\r\n\r\n'],
    ['a host with a path', 'GET / HTTP/1.1\r\nhost: a/b\r\n\r\n'],
    ['two tokens', 'GET / HTTP/1.1\r\nhost: a\r\nauthorization: Bearer a\r\nauthorization: Bearer b\r\n\r\n'],
    ['Connection naming Authorization', 'GET / HTTP/1.1\r\nhost: a\r\nconnection: close, authorization\r\n\r\n'],
    ['an unknown expectation', 'POST / HTTP/1.1\r\nhost: a\r\nexpect: 200-maybe\r\ncontent-length: 1\r\n\r\nx'],
    ['a lower-case method', 'get / HTTP/1.1\r\nhost: a\r\n\r\n'],
    ['HTTP/2 as a version of HTTP/1', 'GET / HTTP/2.0\r\nhost: a\r\n\r\n'],
    ['HTTP/0.9', 'GET /\r\n\r\n'],
    ['more headers than anybody needs', `GET / HTTP/1.1\r\nhost: a\r\n${'a: b\r\n'.repeat(200)}\r\n`],
    ['a head that is too large', `GET / HTTP/1.1\r\nhost: a\r\na: ${'b'.repeat(20_000)}\r\n\r\n`],
    ['no HTTP at all', '\x00\x01\x02\x03 hello\r\n\r\n'],
  ])('refuses %s, and tells of it', async (_name, bytes) => {
    const { port, refusals, seen } = await served();
    const answer = await raw(port, bytes, last);
    expect(answer).toMatch(/^HTTP\/1\.1 4\d\d |^HTTP\/1\.1 505 /);
    expect(seen.filter(({ path }) => path === '/end')).toEqual([]);
    expect(refusals).toHaveLength(1);
  });

  test('sends 100 Continue when somebody reads the body, and not before', async () => {
    const { port } = await served(async (exchange) => {
      if (exchange.path === '/no') await exchange.answer({ status: 401, headers: [] });
      else await echo(exchange);
    });
    const head = 'HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\nconnection: close\r\ncontent-length: 1\r\n\r\n';
    expect(await raw(port, `POST /no ${head}`)).toMatch(/^HTTP\/1\.1 401/);
    expect(await raw(port, `POST /yes ${head}`, 'x')).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200/);
  });

  test('closes behind an answer that left a body unread', async () => {
    const { port, seen } = await served((exchange) => exchange.answer({ status: 413, headers: [] }));
    const answer = await raw(port, `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n${last}`);
    expect(answer).toMatch(/connection: close/);
    expect(seen).toHaveLength(1);
  });

  test('caps bodies', async () => {
    const { port, failures } = await served();
    const answer = await raw(
      port,
      `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 70000\r\nconnection: close\r\n\r\n${'x'.repeat(70_000)}`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 500/);
    expect(failures).toMatchObject([{ code: 'body_too_large' }]);
  });

  test('ends connections whose head does not come', async () => {
    const { port, refusals } = await served(echo, { limits: { ...limits, preAuthTime: 100 } });
    expect(await raw(port, 'GET / HT')).toMatch(/^HTTP\/1\.1 408/);
    expect(await raw(port)).toBe('');
    expect(refusals).toHaveLength(1);
  });

  test('serves a request for an upgrade that it does not know as if it had not asked', async () => {
    const { port, seen } = await served();
    const upgrade = 'connection: upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n';
    const answer = await raw(port, `POST /u HTTP/1.1\r\nhost: a\r\n${upgrade}content-length: 2\r\n\r\nhi`, last);
    expect(answer).toContain('POST /u a [hi]');
    expect(answer).toContain('GET /end a []');
    expect(seen[0]?.headers.map(([name]) => name)).toEqual(['host', 'content-length']);
  });

  test('hands a WebSocket over with what already came behind the request', async () => {
    const { port } = await served(echo, {
      onUpgrade: (upgrade) => {
        const stream = upgrade.accept([['sec-websocket-accept', 'x']]);
        stream.on('data', (chunk: Buffer) => stream.end(`got ${chunk}`));
      },
    });
    const answer = await raw(
      port,
      'GET /ws HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nhello',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n[\s\S]*got hello$/);
  });

  test('tells the handler when the client has gone', async () => {
    let gone = false;
    const { port } = await served(async (exchange) => {
      await new Promise<void>((resolve) => exchange.gone.addEventListener('abort', () => resolve()));
      gone = true;
      await exchange.answer({ status: 200, headers: [] });
    });
    const socket = connect({ port, host: '127.0.0.1' });
    socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n', () => socket.destroy());
    await expect.poll(() => gone).toBe(true);
  });

  test('waits for a client that reads slowly', async () => {
    let written = 0;
    const { port } = await served(async (exchange) => {
      const reply = exchange.respond({ status: 200, headers: [] });
      for (let i = 0; i < 400; i++) {
        await reply.write(Buffer.alloc(64 * 1024));
        written += 1;
      }
      await reply.end();
    });
    const socket = connect({ port, host: '127.0.0.1' });
    socket.pause();
    socket.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
    await expect.poll(() => written).toBeGreaterThan(0);
    let before = -1;
    await expect
      .poll(
        () => {
          const still = written === before;
          before = written;
          return still;
        },
        { interval: 100 },
      )
      .toBe(true);
    expect(written).toBeLessThan(400);
    let size = 0;
    socket.on('data', (chunk) => {
      size += chunk.length;
    });
    socket.resume();
    await new Promise((resolve) => socket.once('close', resolve));
    expect(size).toBeGreaterThan(400 * 64 * 1024);
  });
});

describe('HTTP/2', () => {
  const ask = async (
    port: number,
    headers: Record<string, string | string[]>,
    body?: string,
  ): Promise<{ readonly status: number; readonly text: string }> => {
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    session.on('error', () => {});
    try {
      const stream = session.request(headers, { endStream: body === undefined });
      if (body !== undefined) stream.end(body);
      let status = 0;
      stream.on('response', (fields) => {
        status = Number(fields[':status']);
      });
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      await new Promise((resolve, reject) => stream.once('close', resolve).once('error', reject));
      return { status, text: Buffer.concat(chunks).toString() };
    } finally {
      session.destroy();
    }
  };

  test('is served to who knows', async () => {
    const { port, seen } = await served();
    expect(
      await ask(port, { ':method': 'POST', ':path': '/x?y', ':authority': 'api', cookie: ['a=1', 'b=2'] }, 'hi'),
    ).toEqual({
      status: 200,
      text: 'POST /x?y api [hi]',
    });
    expect(seen[0]?.headers).toContainEqual(['cookie', 'a=1; b=2']);
  });

  test.each([
    ['Host and :authority that differ', { ':path': '/', ':authority': 'a', host: 'b' }],
    ['an asterisk', { ':path': '*', ':method': 'OPTIONS' }],
    ['a fragment', { ':path': '/a#b' }],
    ['another scheme', { ':path': '/', ':scheme': 'ftp' }],
    ['a lower-case method', { ':path': '/', ':method': 'get' }],
    ['userinfo', { ':path': '/', ':authority': 'u:p@a' }],
  ])('refuses %s', async (_name, headers) => {
    const { port, refusals, seen } = await served();
    expect((await ask(port, headers)).status).toBe(400);
    expect(refusals).toHaveLength(1);
    expect(seen).toEqual([]);
  });

  test.each([
    ['a path that does not begin with a slash', { ':path': 'x' }],
    ['an absolute URL as path', { ':path': 'http://a/b' }],
    ['connection-specific fields', { ':path': '/', 'proxy-connection': 'x' }],
    ['an extended CONNECT', { ':path': '/', ':method': 'CONNECT', ':protocol': 'websocket', ':scheme': 'http' }],
  ])('resets a stream with %s', async (_name, headers) => {
    const { port, seen } = await served();
    await expect(ask(port, headers)).rejects.toThrow();
    expect(seen).toEqual([]);
  });

  test('ends connections that open streams only to give them up', async () => {
    const { port, refusals } = await served(async (exchange) => {
      await new Promise<void>((resolve) => exchange.gone.addEventListener('abort', () => resolve()));
    });
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    session.on('error', () => {});
    const closed = new Promise((resolve) => session.once('close', resolve));
    const flood = (): void => {
      if (session.destroyed || session.closed) return;
      const stream = session.request({ ':path': '/' });
      stream.on('error', () => {});
      const giveUp = (): void => {
        stream.close(8);
        setImmediate(flood);
      };
      if (stream.pending) stream.once('ready', giveUp);
      else giveUp();
    };
    for (let i = 0; i < 20; i++) flood();
    await closed;
    expect(refusals.at(-1)).toMatchObject({ status: 429 });
  });
});

describe('TLS', () => {
  test('from the first byte, with HTTP/1.1 for who negotiates nothing', async () => {
    const { port, ca, seen } = await served(echo, { tls: true });
    const socket = connectTls({ port, host: '127.0.0.1', ...(ca ? { ca } : {}) });
    socket.write('GET /s HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n');
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    expect(text).toContain('GET /s 127.0.0.1');
    expect(seen[0]?.origin.secure).toBe(true);
  });

  test('with HTTP/2 for who negotiates it', async () => {
    const { port, ca, seen } = await served(echo, { tls: true });
    const session = connectHttp2(`https://127.0.0.1:${port}`, ca === undefined ? {} : { ca });
    const stream = session.request({ ':path': '/s' });
    const text = await new Promise<string>((resolve, reject) =>
      stream.on('data', (b) => resolve(String(b))).on('error', reject),
    );
    session.close();
    expect(text).toContain('GET /s 127.0.0.1');
    expect(seen[0]).toMatchObject({ version: '2', origin: { secure: true } });
  });
});
