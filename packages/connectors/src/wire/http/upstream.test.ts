// A real server behind real sockets, and servers that lie.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createRawServer, type Server, type Socket } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { UpstreamAccess } from '@sluice/core/contract/upstream.ts';
import { dialSocket } from '@sluice/server/network/dial.ts';
import { afterEach, describe, expect, test } from 'vitest';
import { wholeBody } from './body.ts';
import { createHttpUpstream, type HttpUpstream, type UpstreamRequest, upstreamBounds } from './upstream.ts';

const undo: (() => unknown)[] = [];

afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

interface Reached {
  readonly upstream: HttpUpstream;
  readonly dialled: () => number;
}

async function reach(server: Server, bounds = upstreamBounds): Promise<Reached> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  const { port } = server.address() as { port: number };
  let dialled = 0;
  const dial = async (): Promise<UpstreamAccess> => {
    dialled += 1;
    const socket = await dialSocket('t', { host: '127.0.0.1', port, tls: { mode: 'disable' } });
    return { socket, tls: 'disable', credential: { username: '', secrets: {} }, settings: {} };
  };
  const upstream = createHttpUpstream('api.example', await dial(), dial, bounds);
  undo.push(() => {
    upstream.close();
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { upstream, dialled: () => dialled };
}

const serving = (handler: (request: IncomingMessage, response: ServerResponse) => void, bounds = upstreamBounds) =>
  reach(createServer(handler), bounds);

/** Answers every request with these bytes. */
const answering = (...pieces: readonly (string | Buffer)[]) =>
  reach(
    createRawServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => {
        for (const piece of pieces) socket.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece);
        socket.end();
      });
    }),
  );

function get(path = '/', more: Partial<UpstreamRequest> = {}): UpstreamRequest {
  return { method: 'GET', path, headers: [], signal: new AbortController().signal, ...more };
}

async function textOf(upstream: HttpUpstream, request = get()): Promise<string> {
  return (await wholeBody((await upstream.send(request)).body)).toString();
}

describe('an upstream', () => {
  test('gets the request as it is given, and keeps its connection for the next', async () => {
    const seen: string[][] = [];
    const { upstream, dialled } = await serving((request, response) => {
      seen.push([`${request.method} ${request.url}`, ...request.rawHeaders]);
      response.setHeader('x-a', ['1', '2']);
      response.end('hello');
    });
    const first = await upstream.send(get('/a?b=%20', { headers: [['x-one', '1']] }));
    expect(first.status).toBe(200);
    expect(first.headers.filter(([name]) => name === 'x-a')).toEqual([
      ['x-a', '1'],
      ['x-a', '2'],
    ]);
    expect((await wholeBody(first.body)).toString()).toBe('hello');
    // A server may close right behind its answer: the connection rests for one turn of the loop.
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(await textOf(upstream)).toBe('hello');
    expect(seen[0]).toEqual(['GET /a?b=%20', 'host', 'api.example', 'connection', 'keep-alive', 'x-one', '1']);
    expect(dialled()).toBe(1);
  });

  test('opens further connections for exchanges at once, and no more than it may', async () => {
    const waiting: ServerResponse[] = [];
    const { upstream, dialled } = await serving((_request, response) => waiting.push(response), {
      ...upstreamBounds,
      connections: 2,
    });
    const answers = [1, 2, 3].map(() => textOf(upstream));
    await expect.poll(() => waiting.length).toBe(2);
    expect(dialled()).toBe(2);
    waiting.shift()?.end('x');
    await expect.poll(() => waiting.length).toBe(2);
    for (const response of waiting) response.end('x');
    expect(await Promise.all(answers)).toEqual(['x', 'x', 'x']);
    expect(dialled()).toBe(2);
  });

  test('streams both ways', async () => {
    const { upstream } = await serving((request, response) => request.pipe(response));
    async function* body(): AsyncIterable<Uint8Array> {
      for (let i = 0; i < 100; i++) yield Buffer.alloc(10_000, 97 + (i % 26));
    }
    const answer = await upstream.send(get('/', { method: 'POST', body: body() }));
    expect((await wholeBody(answer.body)).length).toBe(1_000_000);
  });

  test('is let go of when the client has gone', async () => {
    const gone = new AbortController();
    const closed = new Promise<void>((resolve) => {
      void serving((request) => {
        request.once('close', resolve);
        gone.abort(new Error('left'));
      }).then(({ upstream }) => expect(upstream.send(get('/', { signal: gone.signal }))).rejects.toThrow('left'));
    });
    await closed;
  });

  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
  ])('has %s undone', async (coding, pack) => {
    const { upstream } = await serving((_request, response) => {
      response.setHeader('content-encoding', coding);
      response.end(pack(Buffer.from('hello '.repeat(1000))));
    });
    const answer = await upstream.send(get());
    expect(answer.headers.map(([name]) => name)).not.toContain('content-encoding');
    expect(answer.headers.map(([name]) => name)).not.toContain('content-length');
    expect((await wholeBody(answer.body)).toString()).toBe('hello '.repeat(1000));
  });

  test.each([
    ['unpacks to far too much', gzipSync(Buffer.alloc(50_000_000)), 'gzip', 'response_too_large'],
    ['does not unpack', Buffer.from('hello'), 'gzip', 'bad_response'],
    ['is cut off', gzipSync(Buffer.from('hello '.repeat(1000))).subarray(0, 20), 'gzip', 'bad_response'],
  ])('is refused when its answer %s', async (_name, bytes, coding, code) => {
    const { upstream } = await serving((_request, response) => {
      response.setHeader('content-encoding', coding);
      response.end(bytes);
    });
    await expect(textOf(upstream)).rejects.toMatchObject({ code });
  });

  test.each(['zstd', 'compress', 'gzip, gzip', 'constructor'])('is refused in the coding %s', async (coding) => {
    const { upstream } = await serving((_request, response) => {
      response.setHeader('content-encoding', coding);
      response.end('x');
    });
    await expect(textOf(upstream)).rejects.toMatchObject({ code: 'bad_response' });
  });

  const ok = 'HTTP/1.1 200 OK\r\n';
  test.each([
    ['two lengths', `${ok}content-length: 1\r\ncontent-length: 2\r\n\r\nxx`],
    ['a length and chunks', `${ok}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['a folded header', `${ok}a: b\r\n c\r\ncontent-length: 0\r\n\r\n`],
    ['bare line feeds', 'HTTP/1.1 200 OK\ncontent-length: 0\n\n'],
    ['a NUL in a header', `${ok}a: b\x00c\r\ncontent-length: 0\r\n\r\n`],
    ['a carriage return in a header', `${ok}a: b\rset-cookie: x\r\ncontent-length: 0\r\n\r\n`],
    [
      'two content types',
      `${ok}content-type: text/html\r\ncontent-type: application/json\r\ncontent-length: 0\r\n\r\n`,
    ],
    ['two locations', `${ok}location: /a\r\nlocation: /b\r\ncontent-length: 0\r\n\r\n`],
    ['an impossible status', 'HTTP/1.1 999 OK\r\ncontent-length: 0\r\n\r\n'],
    ['no HTTP', 'SSH-2.0-OpenSSH_9\r\n'],
    ['an endless head', `${ok}${'a: b\r\n'.repeat(20_000)}`],
    [
      'an upgrade that nobody asked for',
      'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
    ],
  ])('is refused when it answers with %s', async (_name, bytes) => {
    const { upstream } = await answering(bytes);
    await expect(textOf(upstream)).rejects.toMatchObject({
      code: expect.stringMatching(/^(bad_response|upstream_gone)$/),
    });
  });

  test.each([
    ['ends before its head is complete', 'HTTP/1.1 200 OK\r\na: b'],
    ['ends before its body is complete', `${ok}content-length: 100\r\n\r\nxx`],
    ['ends in the middle of a chunk', `${ok}transfer-encoding: chunked\r\n\r\n10\r\nxx`],
    ['says nothing', ''],
  ])('that %s has not answered', async (_name, bytes) => {
    const { upstream } = await answering(bytes);
    await expect(textOf(upstream)).rejects.toMatchObject({
      code: expect.stringMatching(/^(bad_response|upstream_gone)$/),
    });
  });

  test('has what it sends behind an answer thrown away', async () => {
    const { upstream, dialled } = await answering(`${ok}content-length: 2\r\n\r\nhi${ok}content-length: 4\r\n\r\nevil`);
    expect(await textOf(upstream)).toBe('hi');
    expect(await textOf(upstream)).toBe('hi');
    expect(dialled()).toBe(2);
  });

  test('has fields of the connection, and trailers, taken out', async () => {
    const { upstream } = await answering(
      `${ok}connection: x-hop\r\nx-hop: 1\r\nkeep-alive: timeout=5\r\nx-kept: 1\r\ntrailer: x-late\r\n`,
      'transfer-encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nx-late: 1\r\n\r\n',
    );
    const answer = await upstream.send(get());
    expect(answer.headers).toEqual([['x-kept', '1']]);
    expect((await wholeBody(answer.body)).toString()).toBe('hi');
  });

  test('is asked for a WebSocket, and may decline', async () => {
    const { upstream } = await serving((_request, response) => {
      response.statusCode = 403;
      response.end('no');
    });
    expect(await upstream.upgrade(get('/ws'))).toEqual({ status: 403, headers: [] });
  });

  test('is asked for a WebSocket, and gives its stream', async () => {
    const server = createServer();
    server.on('upgrade', (_request, socket: Socket) => {
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nx-a: b\r\n\r\nfirst',
      );
      socket.on('data', (chunk) => socket.end(`got ${chunk}`));
    });
    const { upstream } = await reach(server);
    const { status, headers, stream } = await upstream.upgrade(get('/ws'));
    expect([status, headers]).toEqual([101, [['x-a', 'b']]]);
    stream?.write('hello');
    const chunks: Buffer[] = [];
    for await (const chunk of stream ?? []) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe('firstgot hello');
  });
});
