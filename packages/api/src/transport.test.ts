import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ApiClient } from './client.ts';

let server: Server | undefined;

async function serve(listener: RequestListener): Promise<string> {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}`;
}

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

describe('the client', () => {
  it.each(['http://192.0.2.1', 'http://gateway.example:80', 'http://127.example', 'http://[2001:db8::1]'])(
    'does not send a token in clear text to %s',
    (base) => {
      expect(() => new ApiClient({ base, token: 't' })).toThrow(expect.objectContaining({ code: 'tls_required' }));
    },
  );

  it.each(['http://127.0.0.1:1', 'http://localhost', 'http://[::1]:8', 'https://gateway.example'])(
    'takes a token for %s',
    (base) => {
      expect(() => new ApiClient({ base, token: 't' })).not.toThrow();
    },
  );

  it.each(['', 'localhost:80', 'ftp://x', 'http://a/b', 'http://a/?q', 'http://u:p@a', 'file:///etc/passwd'])(
    'takes no %j for an address',
    (base) => {
      expect(() => new ApiClient({ base })).toThrow(expect.objectContaining({ code: 'not_configured' }));
    },
  );

  it.each(['..', 'a/b', 'a%2fb', '', 'a?b', 'a#b', 'a'.repeat(129)])('takes no %j for an id', async (id) => {
    const client = new ApiClient({ base: 'http://127.0.0.1:1', token: 't' });
    await expect(async () => client.session(id)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('follows no redirect', async () => {
    const base = await serve((_request, response) => response.writeHead(302, { location: 'http://127.0.0.1:1' }).end());
    await expect(new ApiClient({ base, token: 't' }).whoami()).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('does not wait for ever', async () => {
    const base = await serve(() => undefined);
    const client = new ApiClient({ base, timeout: 50 });
    await expect(client.health()).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('in time'),
    });
  });

  it('keeps what the gateway says about a refusal', async () => {
    const error = { code: 'conflict', message: 'too late', hint: 'ask again', request_id: 'http_1' };
    const base = await serve((_request, response) => response.writeHead(409).end(JSON.stringify({ error })));
    await expect(new ApiClient({ base, token: 't' }).kill('ses_1')).rejects.toMatchObject({
      code: 'conflict',
      status: 409,
      publicMessage: 'too late',
      hint: 'ask again',
      requestId: 'http_1',
    });
  });

  it.each([
    ['no JSON', 500, '<html>'],
    ['another error form', 502, '{"error":"Bad Gateway"}'],
    ['an unknown code', 418, '{"error":{"code":"teapot","message":"short and stout"}}'],
    ['a code out of the prototype', 400, '{"error":{"code":"toString","message":""}}'],
    ['null', 500, 'null'],
  ])('does not mistake %s for an answer', async (_name, status, body) => {
    const base = await serve((_request, response) => response.writeHead(status).end(body));
    await expect(new ApiClient({ base }).health()).rejects.toMatchObject({ code: 'bad_answer', status });
  });

  it('wants the media type it asked for', async () => {
    const base = await serve((_request, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('x'));
    await expect(new ApiClient({ base }).recording('ses_1')).rejects.toMatchObject({ code: 'bad_answer' });
  });
});
