import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test } from 'vitest';
import { fetchJson, requireSafeUrl } from './bounded-fetch.ts';

let server: Server | undefined;

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)));
  server = undefined;
});

async function serve(listener: RequestListener): Promise<URL> {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  return new URL(`http://127.0.0.1:${(started.address() as AddressInfo).port}/x`);
}

const bounds = { timeout: 5_000, maxBytes: 1_000 };

describe('fetching a document', () => {
  test('gives its JSON', async () => {
    expect(await fetchJson(await serve((_, response) => response.end('{"a":[1]}')), bounds)).toEqual({ a: [1] });
  });

  test.each<[string, RequestListener, string]>([
    [
      'a redirect',
      (_, response) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end(),
      'redirects are not followed',
    ],
    ['an error', (_, response) => response.writeHead(500).end('{"a":1}'), 'status 500'],
    ['no content', (_, response) => response.writeHead(204).end(), 'status 204'],
    ['an empty body', (_, response) => response.end(), 'JSON'],
    ['bytes that are no text', (_, response) => response.end(Buffer.from([0x22, 0xff, 0x22])), 'can’t be read'],
    ['too much', (_, response) => response.end(`"${'x'.repeat(1_000)}"`), 'larger than 1000 bytes'],
    [
      'a bomb',
      (_, response) => response.setHeader('content-encoding', 'gzip').end(gzipSync(Buffer.alloc(10_000_000, 32))),
      'larger than 1000 bytes',
    ],
    [
      'a body cut short',
      (_, response) => response.setHeader('content-length', 50).write('{', () => response.destroy()),
      'can’t be read',
    ],
  ])('refuses %s', async (_, listener, message) => {
    await expect(fetchJson(await serve(listener), bounds)).rejects.toThrow(message);
  });

  test.each<[string, RequestListener]>([
    ['never answers', () => {}],
    ['never ends', (_, response) => response.write('{')],
  ])('gives up on a server that %s', async (_, listener) => {
    const url = await serve(listener);
    await expect(fetchJson(url, { ...bounds, timeout: 50 })).rejects.toThrow('no complete answer within 50 ms');
  });

  test('says what it could not reach', async () => {
    const url = await serve((_, response) => response.end());
    server?.close();
    server?.closeAllConnections();
    await expect(fetchJson(url, bounds)).rejects.toThrow('ECONNREFUSED');
    server = undefined;
  });
});

describe('an address to fetch from', () => {
  test.each([
    'https://login.example.com/a?b',
    'http://localhost:1',
    'http://127.0.0.1',
    'http://127.1',
    'http://[::1]:8/',
  ])('may be %s', (text) => {
    expect(requireSafeUrl(text).href).toBe(new URL(text).href);
  });

  test.each([
    'http://login.example.com',
    'http://127.0.0.1.example.com',
    'http://localhost.example.com',
    'http://169.254.169.254/latest',
    'http://0.0.0.0',
    'http://[::ffff:127.0.0.1]',
    'https://me:pw@login.example.com',
    'http://me@127.0.0.1',
    'file:///etc/passwd',
    'data:application/json,{}',
    'gopher://127.0.0.1',
    '/relative',
    '',
  ])('may not be %j', (text) => {
    expect(() => requireSafeUrl(text)).toThrow();
  });
});
