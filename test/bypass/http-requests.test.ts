// Requests that two readers could take for two things, through the real way: raw bytes to a real gateway, in front of an
// API that counts what arrives. Each row says what must happen; none may reach the API as anything but what was judged.
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AnyGateway } from '../harness/any-gateway.ts';
import { type Api, apiToken, json, startApi, startCrm } from '../harness/http-api.ts';
import { recordedEvents, sessionRecordings } from '../harness/recorded-events.ts';

/** Reading is open, but for /admin; writing is open for notes, and payments up to 100; GraphQL may only query. */
const policies = `
@id("connect") permit (principal, action == Action::"connect", resource);
@id("read") permit (principal, action == Action::"http:read", resource);
@id("notes") permit (principal, action == Action::"http:write", resource in Endpoint::"crm/notes");
@id("payments") permit (principal, action == Action::"http:write", resource == Endpoint::"crm/payments")
  when { !context.body_opaque && context.numbers.hasTag("/amount") && context.numbers.getTag("/amount") <= 100 };
@id("query") permit (principal, action == Action::"http:graphql.query", resource)
  unless { context.fields.contains("secrets") };
@id("no-admin") forbid (principal, action, resource in Endpoint::"crm/admin");
`;

let api: Api;
let gateway: AnyGateway;
let token: string;

beforeAll(async () => {
  api = await startApi((_request, response) => json(response, { ok: true }));
  gateway = await startCrm(api, { policies, target: { graphql_paths: ['/graphql'], base_path: '/base' } });
  token = await gateway.token({ sub: 'worker', groups: ['workers'] });
});

afterAll(async () => {
  await gateway?.stop();
  await api?.stop();
});

async function raw(...parts: readonly (string | Buffer)[]): Promise<string> {
  const { host, port } = gateway.at('http');
  const socket = connect({ host, port });
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => {});
  socket.write(Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part))));
  await new Promise((resolve) => socket.once('close', resolve));
  return Buffer.concat(chunks).toString('latin1');
}

interface Asked {
  readonly method?: string;
  readonly headers?: readonly string[];
  readonly body?: string | Buffer;
}

async function send(path: string, { method = 'GET', headers = [], body }: Asked = {}): Promise<string> {
  const bytes = body === undefined ? undefined : Buffer.from(body as string);
  const lines = [
    `${method} ${path} HTTP/1.1`,
    'host: crm',
    `authorization: Bearer ${token}`,
    'connection: close',
    ...headers,
    ...(bytes ? [`content-length: ${bytes.length}`] : []),
  ];
  return raw(`${lines.join('\r\n')}\r\n\r\n`, bytes ?? '');
}

function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]);
}

/** What arrived at the API while this happened. */
async function arrived(act: () => Promise<unknown>): Promise<readonly string[]> {
  const before = api.seen.length;
  await act();
  return api.seen.slice(before).map(({ method, url }) => `${method} ${url}`);
}

describe('a path', () => {
  test.each([
    ['dots', '/notes/../admin/users'],
    ['encoded dots', '/notes/%2e%2e/admin/users'],
    ['half encoded dots', '/notes/.%2E/admin'],
    ['a dot alone', '/./admin'],
    ['encoded dots and slash', '/notes%2f..%2fadmin'],
    ['an encoded slash', '/notes%2Fadmin'],
    ['an encoded backslash', '/notes%5c..%5cadmin'],
    ['a backslash', '/notes\\..\\admin'],
    ['two slashes', '//admin'],
    ['two slashes within', '/notes//admin'],
    ['encoded twice', '/%2561dmin'],
    ['dots encoded twice', '/notes/%252e%252e/admin'],
    ['a slash encoded twice', '/notes%252fadmin'],
    ['a NUL', '/admin%00'],
    ['a tab', '/admin%09'],
    ['a line end', '/admin%0d%0aX-Evil:%201'],
    ['path parameters', '/admin;x=1/users'],
    ['path parameters alone', '/;/admin'],
    ['an overlong slash', '/notes%c0%afadmin'],
    ['an overlong dot', '/notes/%c0%ae%c0%ae/admin'],
    ['bytes that are no UTF-8', '/notes/%ff'],
    ['a surrogate in UTF-8', '/notes/%ed%a0%80'],
    ['a broken escape', '/notes/%zz'],
    ['half an escape', '/notes/%2'],
    ['IIS escapes', '/%u0061dmin'],
    ['full-width dots', '/notes/%EF%BC%8E%EF%BC%8E/admin'],
    ['a full-width slash', '/notes%EF%BC%8Fadmin'],
    ['a blank at the end of a segment', '/admin%20/users'],
    ['dots at the end alone', '/.../admin'],
    ['a fragment', '/notes#/admin'],
    ['no slash at the beginning', 'admin'],
    ['a URL', 'http://crm/admin'],
    ['a URL of the API itself', 'http://127.0.0.1/admin'],
  ])('with %s is refused and goes nowhere', async (_name, path) => {
    let answer = '';
    expect(await arrived(async () => (answer = await send(path)))).toEqual([]);
    expect(statusOf(answer)).toBe(400);
  });

  test.each([
    ['as it is', '/admin/users'],
    ['with an escape that needs none', '/%61dmin/users'],
    ['with a slash at its end', '/admin/'],
    ['with a query', '/admin?x=/notes'],
    ['with escapes in capitals', '/%61%64%6D%69%6E'],
  ])('that leads to /admin %s is found there and refused', async (_name, path) => {
    let answer = '';
    expect(await arrived(async () => (answer = await send(path)))).toEqual([]);
    expect(statusOf(answer)).toBe(403);
    expect(answer).toContain('no-admin');
  });

  test.each([
    ['/notes/a%20b', '/base/notes/a%20b'],
    ['/notes/%61%3Ab', '/base/notes/a:b'],
    ['/notes/%C3%A4', '/base/notes/%C3%A4'],
    ['/notes/a%3Bb', '/base/notes/a%3Bb'],
    ['/notes/100%25', '/base/notes/100%25'],
    ['/notes/?a=%2e%2e/x&b', '/base/notes/?a=../x&b'],
    ['/notes?q=a+b%26c%3Dd', '/base/notes?q=a%20b%26c%3Dd'],
    ['/', '/base/'],
  ])('%s arrives as %s, and as nothing else', async (path, url) => {
    expect(await arrived(() => send(path))).toEqual([`GET ${url}`]);
  });
});

describe('a query', () => {
  test.each([
    ['a parameter twice', '/notes?id=1&id=2'],
    ['a parameter twice, once encoded', '/notes?id=1&%69d=2'],
    ['another method', '/notes?_method=DELETE'],
    ['another method in capitals', '/notes?_METHOD=DELETE'],
    ['bytes that are no UTF-8', '/notes?x=%ff'],
    ['a NUL', '/notes?x=%00'],
  ])('with %s is refused', async (_name, path) => {
    let answer = '';
    expect(await arrived(async () => (answer = await send(path)))).toEqual([]);
    expect(statusOf(answer)).toBe(400);
  });
});

describe('a method', () => {
  test.each(['TRACE', 'PROPFIND', 'MKCOL', 'PURGE', 'LINK', 'M-SEARCH', 'GETX', 'get'])(
    '%s is refused',
    async (method) => {
      let answer = '';
      expect(await arrived(async () => (answer = await send('/notes', { method })))).toEqual([]);
      expect(statusOf(answer)).toBe(400);
    },
  );

  test.each(['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override', 'x-http-method-override'])(
    'is not changed by %s',
    async (name) => {
      let answer = '';
      const asked = { method: 'POST', headers: [`${name}: DELETE`, 'content-type: application/json'], body: '{}' };
      expect(await arrived(async () => (answer = await send('/notes', asked)))).toEqual([]);
      expect(statusOf(answer)).toBe(400);
    },
  );

  test('is not changed by a form', async () => {
    const asked = {
      method: 'POST',
      headers: ['content-type: application/x-www-form-urlencoded'],
      body: 'a=1&_method=DELETE',
    };
    expect(await arrived(() => send('/notes', asked))).toEqual([]);
  });
});

describe('a header', () => {
  test.each([
    'X-Forwarded-For: 127.0.0.1',
    'X-Forwarded-Host: evil',
    'X-Forwarded-User: root',
    'Forwarded: for=127.0.0.1',
    'X-Real-IP: 127.0.0.1',
    'X-Original-URL: /admin',
    'X-Rewrite-URL: /admin',
    'X-Remote-User: root',
    'Remote-User: root',
    'X_Forwarded_For: 127.0.0.1',
    'X-Auth-User: root',
    'CF-Connecting-IP: 127.0.0.1',
    'X-SSL-Client-CN: root',
    'Proxy-Authorization: Basic eDp5',
    'Via: 1.1 x',
    'Sluice-Run: x',
    'Accept-Encoding: zstd',
    'TE: trailers',
    'X-Whatever: 1',
    'Keep-Alive: timeout=5',
    'Upgrade: h2c',
  ])('%s does not arrive', async (header) => {
    expect(await arrived(() => send('/notes', { headers: [header] }))).toEqual(['GET /base/notes']);
    const name = header.split(':')[0]?.toLowerCase() ?? '';
    const value = header.slice(header.indexOf(':') + 1).trim();
    expect(api.seen.at(-1)?.headers[name]).not.toBe(value);
  });

  test('of the client’s own identity never arrives, wherever it is', async () => {
    for (const headers of [[], [`sluice-authorization: Bearer ${token}`]]) {
      await send('/notes', { headers });
      expect(JSON.stringify(api.seen.at(-1))).not.toContain(token);
      expect(api.seen.at(-1)?.headers['authorization']).toBe(`Bearer ${apiToken}`);
    }
  });

  test('that is named by Connection is not taken out of what is judged', async () => {
    const answer = await send('/notes', { headers: ['connection: authorization'] });
    expect(statusOf(answer)).toBe(400);
  });
});

describe('requests in one another', () => {
  const head = (line: string, ...more: string[]): string =>
    `${[line, 'host: crm', `authorization: Bearer ${token}`, ...more].join('\r\n')}\r\n\r\n`;
  const hidden = (): string => head('GET /base/admin/users HTTP/1.1');

  test.each<[string, () => string]>([
    [
      'a length and chunks',
      () => `${head('POST /notes HTTP/1.1', 'content-length: 4', 'transfer-encoding: chunked')}0\r\n\r\n${hidden()}`,
    ],
    ['two lengths', () => head('POST /notes HTTP/1.1', 'content-length: 0', 'content-length: 5') + hidden()],
    [
      'a coding that only one reader knows',
      () => `${head('POST /notes HTTP/1.1', 'transfer-encoding: xchunked')}0\r\n\r\n${hidden()}`,
    ],
    [
      'a coding behind a blank',
      () => `${head('POST /notes HTTP/1.1', 'transfer-encoding : chunked')}0\r\n\r\n${hidden()}`,
    ],
    ['a folded coding', () => `${head('POST /notes HTTP/1.1', 'transfer-encoding:', ' chunked')}0\r\n\r\n${hidden()}`],
    ['bare line feeds', () => `GET /notes HTTP/1.1\nhost: crm\nauthorization: Bearer ${token}\n\n${hidden()}`],
    [
      'a chunk that is longer than it says',
      () => `${head('POST /notes HTTP/1.1', 'transfer-encoding: chunked')}1\r\nab\r\n0\r\n\r\n${hidden()}`,
    ],
    [
      'a body of a GET',
      () => head('GET /notes HTTP/1.1', 'connection: close', `content-length: ${hidden().length}`) + hidden(),
    ],
  ])('by %s stay one, or none', async (_name, bytes) => {
    const paths = await arrived(() => raw(bytes()));
    expect(paths.filter((path) => path.includes('admin'))).toEqual([]);
    expect(paths.length).toBeLessThanOrEqual(1);
  });

  test('in order are each judged', async () => {
    const bytes =
      head('GET /notes HTTP/1.1') + head('GET /admin HTTP/1.1') + head('GET /notes/2 HTTP/1.1', 'connection: close');
    let answer = '';
    expect(await arrived(async () => (answer = await raw(bytes)))).toEqual(['GET /base/notes', 'GET /base/notes/2']);
    expect(answer.match(/HTTP\/1\.1 \d{3}/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 403', 'HTTP/1.1 200']);
  });
});

describe('a body', () => {
  const type = ['content-type: application/json'];
  const pay = (body: string | Buffer, headers: readonly string[] = type): Promise<string> =>
    send('/payments', { method: 'POST', headers, body });

  test('is judged by what is in it', async () => {
    expect(await arrived(() => pay('{"amount": 100}'))).toEqual(['POST /base/payments']);
    expect(await arrived(() => pay('{"amount": 101}'))).toEqual([]);
  });

  test.each<[string, string | Buffer, number]>([
    ['a member twice', '{"amount": 5, "amount": 5000}', 400],
    ['a member twice, once escaped', '{"amount": 5, "\\u0061mount": 5000}', 400],
    ['a larger number in another form', '{"amount": 5e3}', 403],
    ['a number as a text', '{"amount": "5000"}', 403],
    ['a fraction', '{"amount": 100.5}', 403],
    ['a number beyond all', '{"amount": 1e999}', 403],
    ['a number of many digits', '{"amount": 99999999999999999999}', 403],
    ['the number elsewhere', '[{"amount": 5000}]', 403],
    ['a comment', '{"amount": 5 /* */}', 400],
    ['a byte order mark', Buffer.from('\ufeff{"amount": 5}'), 400],
    ['UTF-16', Buffer.from('{"amount": 5}', 'utf16le'), 400],
    ['two documents', '{"amount": 5}{"amount": 5000}', 400],
    ['nothing', ' ', 400],
    ['too many levels', `{"amount": 5, "x": ${'['.repeat(100)}${']'.repeat(100)}}`, 400],
    ['more than can be read', `{"amount": 5, "x": "${'x'.repeat(1_100_000)}"}`, 413],
    ['more fields than can be judged', `{"x": [${'1,'.repeat(6_000)}1], "amount": 5000}`, 403],
    ['a very long value', `{"amount": 5, "x": "${'x'.repeat(70_000)}"}`, 403],
    ['a prototype', '{"__proto__": {"amount": 5}}', 403],
  ])('with %s does not pass for a small payment', async (_name, body, status) => {
    let answer = '';
    expect(await arrived(async () => (answer = await pay(body)))).toEqual([]);
    expect(statusOf(answer)).toBe(status);
  });

  test.each<[string, readonly string[], string | Buffer, number]>([
    ['no type', [], '{"amount": 5}', 403],
    ['another type', ['content-type: text/plain'], '{"amount": 5}', 403],
    ['a type for bytes', ['content-type: application/octet-stream'], '{"amount": 5}', 403],
    ['two types', ['content-type: application/json', 'content-type: text/plain'], '{"amount": 5}', 400],
    ['two types in one', ['content-type: application/json, text/plain'], '{"amount": 5}', 400],
    ['a type in another charset', ['content-type: application/json; charset=utf-16'], '{"amount": 5}', 403],
    ['two charsets', ['content-type: application/json; charset=utf-8; charset=utf-7'], '{"amount": 5}', 400],
    ['a coding that is not true', [...type, 'content-encoding: gzip'], '{"amount": 5}', 400],
    ['a coding that is not known', [...type, 'content-encoding: zstd'], '{"amount": 5}', 400],
    ['two codings', [...type, 'content-encoding: gzip, gzip'], gzipSync(gzipSync('{"amount": 5}')), 400],
    ['a packed large number', [...type, 'content-encoding: gzip'], gzipSync('{"amount": 5000}'), 403],
    ['a bomb', [...type, 'content-encoding: gzip'], gzipSync(Buffer.alloc(60_000_000, 0x20)), 413],
  ])('of %s does not pass for a small payment', async (_name, headers, body, status) => {
    let answer = '';
    expect(await arrived(async () => (answer = await pay(body, headers)))).toEqual([]);
    expect(statusOf(answer)).toBe(status);
  });
});

describe('GraphQL', () => {
  const query = (body: unknown, path = '/graphql', headers = ['content-type: application/json']): Promise<string> =>
    send(path, { method: 'POST', headers, body: typeof body === 'string' ? body : JSON.stringify(body) });

  test.each<[string, unknown]>([
    ['a query', { query: '{ users { name } }' }],
    ['a query by name', { query: 'query a { users } mutation b { drop }', operationName: 'a' }],
    ['a batch of queries', [{ query: '{ users }' }, { query: '{ orders }' }]],
    ['a field called like another by its alias', { query: '{ secrets: users }' }],
  ])('%s arrives', async (_name, body) => {
    expect(await arrived(() => query(body))).toEqual(['POST /base/graphql']);
  });

  test.each<[string, unknown, number]>([
    ['a mutation', { query: 'mutation { drop }' }, 403],
    ['a mutation behind a query, by name', { query: 'query a { users } mutation b { drop }', operationName: 'b' }, 403],
    ['a mutation in a batch', [{ query: '{ users }' }, { query: 'mutation { drop }' }], 403],
    ['a secret field', { query: '{ secrets }' }, 403],
    ['a secret field under an alias', { query: '{ users: secrets { name } }' }, 403],
    ['a secret field in a fragment', { query: '{ ...f } fragment f on Query { secrets }' }, 403],
    [
      'a secret field in a fragment of a fragment',
      { query: '{ ...f } fragment g on Query { secrets } fragment f on Query { ...g }' },
      403,
    ],
    ['a secret field in an inline fragment', { query: '{ ... on Query { ... { secrets } } }' }, 403],
    ['a secret field under a directive', { query: '{ secrets @include(if: true) }' }, 403],
    ['a subscription', { query: 'subscription { users }' }, 403],
    ['two operations without a name', { query: 'query a { users } mutation b { drop }' }, 400],
    ['a name that is not there', { query: '{ users }', operationName: 'x' }, 400],
    ['an operation twice', { query: 'query a { users } query a { drop }', operationName: 'a' }, 400],
    ['a fragment twice', { query: '{ ...f } fragment f on Q { users } fragment f on Q { secrets }' }, 400],
    [
      'a circle of fragments',
      { query: '{ ...f ...g } fragment f on Q { ...g } fragment g on Q { ...f secrets }' },
      403,
    ],
    ['a query kept by its hash', { extensions: { persistedQuery: { version: 1, sha256Hash: 'x' } } }, 400],
    ['a query kept by its id', { id: 'x' }, 400],
    ['an unknown member', { query: '{ users }', doc_id: '1' }, 400],
    ['no object', '"{ users }"', 400],
    ['an empty batch', [], 400],
    ['a large batch', Array.from({ length: 30 }, () => ({ query: '{ users }' })), 400],
    ['a document of many parts', { query: `{ ${'a '.repeat(9_000)} }` }, 400],
    ['a document that is nested deep', { query: `${'{a'.repeat(4_000)}${'}'.repeat(4_000)}` }, 400],
    ['a type definition', { query: 'type A { b: Int } query { users }' }, 400],
  ])('%s does not pass for a query', async (_name, body, status) => {
    let answer = '';
    expect(await arrived(async () => (answer = await query(body)))).toEqual([]);
    expect(statusOf(answer)).toBe(status);
  });

  test.each<[string, string, readonly string[], string]>([
    [
      'in the URL beside the body',
      '/graphql?query=mutation{drop}',
      ['content-type: application/json'],
      '{"query":"{ users }"}',
    ],
    ['as a form', '/graphql', ['content-type: application/x-www-form-urlencoded'], 'query=mutation{drop}'],
    ['as text', '/graphql', ['content-type: text/plain'], '{"query":"mutation{drop}"}'],
    ['as bytes', '/graphql', ['content-type: application/octet-stream'], '{"query":"mutation{drop}"}'],
    ['with a slash behind the path', '/graphql/', ['content-type: application/json'], '{"query":"mutation{drop}"}'],
  ])('a mutation %s does not pass for a query', async (_name, path, headers, body) => {
    expect(await arrived(() => send(path, { method: 'POST', headers, body }))).toEqual([]);
  });

  test.each([
    '/graphql?query=mutation{drop}',
    '/graphql?query={secrets}',
    '/graphql?extensions={}&query={users}',
    '/graphql',
    '/graphql?query={users}&query={secrets}',
  ])('GET %s does not arrive', async (path) => {
    expect(await arrived(() => send(path))).toEqual([]);
  });

  test('a body that looks like GraphQL elsewhere is what the method says', async () => {
    const answer = await send('/payments', {
      method: 'POST',
      headers: ['content-type: application/json'],
      body: '{"query":"{ users }"}',
    });
    expect(statusOf(answer)).toBe(403);
  });
});

describe('a target', () => {
  test.each([
    ['by a name that is not its own', 'GET /notes HTTP/1.1', 'evil.example', 404],
    ['by its name with another behind it', 'GET /notes HTTP/1.1', 'crm.evil.example', 404],
    ['by a name that a page made point here', 'GET /t/crm/notes HTTP/1.1', 'evil.example', 421],
    ['by a path that is encoded', 'GET /t/%63rm/notes HTTP/1.1', '127.0.0.1', 404],
    ['by a path with two slashes', 'GET //t/crm/notes HTTP/1.1', '127.0.0.1', 404],
    ['that is not there', 'GET /t/nowhere/notes HTTP/1.1', '127.0.0.1', 404],
  ])('is not reached %s', async (_name, line, host, status) => {
    let answer = '';
    const bytes = `${line}\r\nhost: ${host}\r\nauthorization: Bearer ${token}\r\nconnection: close\r\n\r\n`;
    expect(await arrived(async () => (answer = await raw(bytes)))).toEqual([]);
    expect(statusOf(answer)).toBe(status);
  });
});

test('what was refused without a meaning is in the recording', async () => {
  await send('/notes/%2e%2e/admin?mark=of-the-refused');
  await expect
    .poll(async () => {
      for (const path of await sessionRecordings(gateway.dir)) {
        const events = await recordedEvents(path).catch(() => []);
        const action = events.find((event) => JSON.stringify(event).includes('of-the-refused'));
        if (action) return action;
      }
      return undefined;
    })
    .toMatchObject({ type: 'action', effect: 'deny', policies: ['sluice:unknown'] });
});
