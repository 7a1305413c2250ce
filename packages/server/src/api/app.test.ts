import { connect } from 'node:net';
import { ApiClient } from '@sluice/api/client.ts';
import { type Route, routes } from '@sluice/api/routes.ts';
import type { ErrorBody } from '@sluice/api/schema/error.ts';
import fc from 'fast-check';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApi } from './app.ts';
import { botsObjects } from './testing/bots-objects.ts';
import { type Person, type TestServices, testServices, tokenOf } from './testing/services.ts';

let services: TestServices;
let app: FastifyInstance;
let base: string;
let registered: { method: string; url: string }[];

beforeEach(async () => {
  services = testServices();
  botsObjects(services);
  registered = [];
  app = await createApi(services, {
    version: '0.1.0',
    failuresPerMinute: 5,
    onRoute: (route) => registered.push(route),
  });
  base = await app.listen({ host: '127.0.0.1', port: 0 });
});

afterEach(() => app.close());

function as(person: Person): ApiClient {
  return new ApiClient({ base, token: tokenOf(person) });
}

const entries = Object.entries<Route>(routes);

/** A request that is well-formed for the route, about the objects of the agent `bot`. */
function request(route: Route, token?: string): Promise<Response> {
  const ids: Record<string, string> = {
    'access-credentials': 'sac_bot',
    'access-requests': 'req_bot',
    sessions: 'ses_bot',
  };
  const path = route.path.replace('{id}', ids[route.path.split('/')[3] ?? ''] ?? 'none');
  const body = route.path.endsWith('/dry-runs')
    ? { target: 'shop', statement: 'select 1' }
    : route.path.endsWith('/access-credentials')
      ? { target: 'shop' }
      : {};
  return fetch(base + path, {
    method: route.method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(route.method === 'POST' ? { 'content-type': 'application/json' } : {}),
    },
    ...(route.method === 'POST' ? { body: JSON.stringify(body) } : {}),
  });
}

/** Bytes straight onto a socket, for addresses that `fetch` would tidy up. */
function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(base);
    const socket = connect(Number(port), hostname, () => socket.end(text));
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.on('close', () => resolve(answer));
    socket.on('error', reject);
  });
}

async function errorOf(promise: Promise<unknown>): Promise<{ code: string; status: number; message: string }> {
  try {
    await promise;
  } catch (error) {
    return error as { code: string; status: number; message: string };
  }
  throw new Error('expected a refusal');
}

describe('the table', () => {
  it('holds every route that the app has, and no other', () => {
    const inTable = entries.map(([, route]) => `${route.method} ${route.path.replace(/\{(\w+)\}/g, ':$1')}`);
    const inApp = registered.map((route) => `${route.method} ${route.url}`);
    expect(inApp.sort()).toEqual(inTable.sort());
  });

  it.each(entries.filter(([, route]) => route.caller.kind !== 'public'))('%s wants a token', async (_name, route) => {
    const response = await request(route);
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
    expect(await response.json()).toMatchObject({ error: { code: 'unauthenticated' } });
    expect(await (await request(route, 'wrong-token')).json()).toMatchObject({ error: { code: 'unauthenticated' } });
  });

  it.each(entries.filter(([, route]) => route.caller.kind === 'public'))('%s wants none', async (_name, route) => {
    expect((await request(route)).status).toBe(route.status);
  });

  it.each(entries.filter(([, route]) => route.caller.kind === 'object'))(
    '%s shows a stranger nothing of others',
    async (_name, route) => {
      const response = await request(route, tokenOf('stranger'));
      const text = await response.text();
      if (response.status === 200) expect(JSON.parse(text)).toEqual({ items: [] });
      else expect(response.status).toBe(404);
      expect(text).not.toContain('customers');
      expect(services.requestRows.get('req_bot')?.state).toBe('pending');
      expect(services.sessionRows.get('ses_bot')?.live).toBe(true);
      expect(services.credentialRows.get('sac_bot')?.revokedAt).toBeUndefined();
    },
  );

  it.each(entries.filter(([, route]) => route.path.includes('{id}')))(
    '%s answers a foreign object exactly as a missing one',
    async (_name, route) => {
      const foreign = (await (await request(route, tokenOf('stranger'))).json()) as ErrorBody;
      services.requestRows.clear();
      services.sessionRows.clear();
      services.credentialRows.clear();
      const missing = (await (await request(route, tokenOf('stranger'))).json()) as ErrorBody;
      expect({ ...foreign.error, request_id: '' }).toEqual({ ...missing.error, request_id: '' });
    },
  );
});

describe('addresses', () => {
  it.each([
    '/api/v1//sessions',
    '//api/v1/sessions',
    '/api/v1/sessions/',
    '/api/v1/%73essions',
    '/api/v1/sessions%2fses_bot',
    '/api/v1/sessions/%2e%2e/keys',
    '/api/v1/sessions/../keys',
    '/api/v1/./sessions',
    '/api/v1/sessions;a=b',
    '/api/v1/sessions;/ses_bot',
    '/api/v1\\sessions',
    '/API/v1/sessions',
    '/api/v1/Sessions',
    '/api/v1/health/',
    '/api/v1/healt%68',
    '/api/v1/health%00',
    'http://other.example/api/v1/sessions',
    '/metrics',
    '/documentation',
    `/api/v1/${'a'.repeat(600)}`,
  ])('%s names nothing', async (path) => {
    const answer = await raw(
      `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${tokenOf('alex')}\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
    expect(answer).toContain('"code":"not_found"');
  });

  it('lead to a route only when they are written exactly as in the table', async () => {
    const tricks = [
      (path: string, at: number) => `${path.slice(0, at)}%${path.charCodeAt(at).toString(16)}${path.slice(at + 1)}`,
      (path: string, at: number) => `${path.slice(0, at)}/${path.slice(at)}`,
      (path: string, at: number) => `${path.slice(0, at)};x${path.slice(at)}`,
      (path: string, at: number) => `${path.slice(0, at)}\\${path.slice(at + 1)}`,
      (path: string, at: number) => `${path.slice(0, at)}/.${path.slice(at)}`,
      (path: string, at: number) => path.slice(0, at) + path.slice(at).toUpperCase(),
    ];
    const path = fc.constantFrom('/api/v1/health', '/api/openapi.json');
    await fc.assert(
      fc.asyncProperty(path, fc.constantFrom(...tricks), fc.integer({ min: 1, max: 13 }), async (plain, trick, at) => {
        const tricked = trick(plain, at);
        if (tricked === plain) return;
        const answer = await raw(`GET ${tricked} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
        expect(answer, tricked).toMatch(/^HTTP\/1\.1 404 /);
      }),
    );
  });

  it('can be any bytes without harm', async () => {
    const bytes = fc.string({ unit: 'binary', maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(bytes, async (target) => {
        const answer = await raw(`GET /${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
        expect(answer).toMatch(/^HTTP\/1\.1 4\d\d /);
      }),
    );
    expect((await fetch(`${base}/api/v1/health`)).status).toBe(200);
  });

  it.each(['HEAD', 'PUT', 'PATCH', 'OPTIONS', 'TRACE'])('%s is no method of any route', async (method) => {
    const answer = await raw(`${method} /api/v1/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
  });

  it('takes no token from the URL', async () => {
    const response = await fetch(`${base}/api/v1/sessions?access_token=${tokenOf('alex')}`);
    expect(response.status).toBe(401);
    const withBoth = await fetch(`${base}/api/v1/sessions?access_token=x`, {
      headers: { authorization: `Bearer ${tokenOf('alex')}` },
    });
    expect(withBoth.status).toBe(400);
  });

  it('answers bytes that are no HTTP in its own form', async () => {
    const answer = await raw('\x16\x03\x01\x02garbage\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('not an HTTP request');
    expect((await fetch(`${base}/api/v1/health`)).status).toBe(200);
  });
});

describe('tokens', () => {
  it.each([
    ['another scheme', 'Basic Ym90OmJvdA=='],
    ['two words', 'Bearer bot-token bot-token'],
    ['nothing', 'Bearer '],
    ['a comma', 'Bearer bot-token,alex-token'],
    ['17 KiB', `Bearer ${'a'.repeat(17 * 1024)}`],
  ])('refuses %s', async (_name, authorization) => {
    expect((await fetch(`${base}/api/v1/whoami`, { headers: { authorization } })).status).toBe(401);
  });

  it('refuses two of them, whichever is right', async () => {
    const answer = await raw(
      `GET /api/v1/whoami HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${tokenOf('alex')}\r\nAuthorization: Bearer ${tokenOf('bot')}\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 401 /);
  });

  it('answers 429 after too many wrong ones, and still takes a right one', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 7; i++) {
      const response = await fetch(`${base}/api/v1/whoami`, { headers: { authorization: 'Bearer wrong' } });
      statuses.push(response.status);
      if (response.status === 429) expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
    expect((await as('alex').whoami()).display_name).toBe('alex');
    expect(services.audited.filter((event) => event.name === 'auth.refused')).toHaveLength(5);
  });

  it('never reach the log', async () => {
    await as('alex').whoami();
    await fetch(`${base}/api/v1/sessions?token=${tokenOf('alex')}`);
    await fetch(`${base}/api/v1/${tokenOf('alex')}`);
    await expect.poll(() => services.logged.length).toBe(3);
    expect(JSON.stringify(services.logged)).not.toContain(tokenOf('alex'));
  });

  it('keeps the trace of the caller in the log', async () => {
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    await fetch(`${base}/api/v1/health`, { headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01` } });
    await expect.poll(() => JSON.stringify(services.logged)).toContain(trace);
  });
});

describe('headers and bodies', () => {
  it('forbids caching, framing and sniffing, and offers no CORS', async () => {
    const { headers } = await fetch(`${base}/api/v1/health`, { headers: { origin: 'https://evil.example' } });
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('access-control-allow-origin')).toBeNull();
    expect(headers.get('x-request-id')).toMatch(/^http_/);
  });

  const post = (body: string | Uint8Array<ArrayBuffer>, type = 'application/json') =>
    fetch(`${base}/api/v1/access-credentials`, {
      method: 'POST',
      headers: { authorization: `Bearer ${tokenOf('bot')}`, 'content-type': type },
      body,
    });

  it.each([
    ['another media type', () => post('target=shop', 'application/x-www-form-urlencoded'), 415],
    ['plain text', () => post('{"target":"shop"}', 'text/plain'), 415],
    ['broken JSON', () => post('{"target":'), 400],
    ['an unknown field', () => post('{"target":"shop","admin":true}'), 400],
    ['a prototype', () => post('{"target":"shop","__proto__":{"uses":1}}'), 400],
    ['ill-formed UTF-8', () => post(new Uint8Array([0x22, 0xff, 0x22])), 400],
    ['no body', () => post(''), 400],
    ['a wrong ttl', () => post('{"target":"shop","ttl":"soon"}'), 400],
    ['too long a ttl', () => post('{"target":"shop","ttl":"90d"}'), 400],
    ['5 MiB', () => post(JSON.stringify({ target: 'x'.repeat(5 * 1024 * 1024) })), 413],
  ])('refuses %s', async (_name, send, status) => {
    const response = await send();
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { code: expect.any(String), message: expect.any(String) } });
    expect(services.credentialRows.size).toBe(1);
  });

  it('names the field that is wrong', async () => {
    const body = (await (await post('{"target":"shop","ttl":"soon","uses":0}')).json()) as ErrorBody;
    expect(body.error.message).toContain('ttl: ');
    expect(body.error.message).toContain('uses: ');
  });

  it('says nothing about what went wrong inside', async () => {
    services.sessions.get = async () => {
      throw new Error('SELECT secret_column FROM sessions');
    };
    const error = await errorOf(as('alex').session('ses_bot'));
    expect(error).toMatchObject({ status: 500, code: 'internal' });
    expect(error.message).not.toContain('secret_column');
    expect(JSON.stringify(services.logged)).toContain('secret_column');
  });
});
