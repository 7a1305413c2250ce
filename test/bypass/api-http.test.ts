// The gateway's own API as a stranger, an agent and a clumsy proxy would try it, byte by byte over a socket. Rows are
// never removed.
import { connect } from 'node:net';
import type { ApiClient } from '@sluice/api/client.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestGateway, type TestGateway } from '../harness/gateway.ts';
import { createTestPostgres, type TestPostgres } from '../harness/postgres.ts';
import { query, RawPostgres } from '../harness/raw-postgres.ts';
import { sealedRecordings } from '../harness/sealed-recordings.ts';

const policies = `
@id("use") permit (principal in Group::"agents", action in [Action::"connect", Action::"read"], resource);
@id("write") @approval("dba") @wait("resend") permit (principal in Group::"agents", action in Action::"write", resource);
`;

let postgres: TestPostgres;
let gateway: TestGateway;
let token: string;
let session: RawPostgres;
let stranger: ApiClient;
let request: string;
let sessionId: string;
let credential: string;

beforeAll(async () => {
  postgres = await createTestPostgres({ init: 'CREATE TABLE t (id int)' });
  gateway = await createTestGateway({ postgres, policies });
  const agent = { sub: 'bot', kind: 'agent', groups: ['agents', 'dba'], owner: 'olga' } as const;
  token = await gateway.token(agent);
  session = await RawPostgres.login(gateway, token);
  session.send(query('INSERT INTO t VALUES (1)'));
  await session.until('Z');
  const own = await gateway.apiAs(agent);
  request = (await own.accessRequests()).items[0]?.id ?? '';
  sessionId = (await own.sessions()).items[0]?.id ?? '';
  credential = (await own.issueAccessCredential({ target: 'shop' })).id;
  stranger = await gateway.apiAs({ sub: 'stranger', groups: [] });
});
afterAll(async () => {
  session?.end();
  await gateway?.stop();
  await postgres?.stop();
});

/** Status codes of all that came back, and every byte of it. */
async function raw(text: string): Promise<{ status: number[]; text: string }> {
  const { hostname, port } = new URL(gateway.api);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on('error', () => {});
  let seen = '';
  socket.on('data', (chunk: Buffer) => {
    seen += chunk.toString('latin1');
  });
  socket.write(text);
  await new Promise((resolve) => socket.once('close', resolve));
  return { status: [...seen.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => Number(match[1])), text: seen };
}

const close = 'connection: close\r\n';
const get = (path: string, headers = `authorization: Bearer ${token}\r\n`): string =>
  `GET ${path} HTTP/1.1\r\nhost: x\r\n${headers}${close}\r\n`;

test('a request in order is answered', async () => {
  expect((await raw(get('/api/v1/whoami'))).status).toEqual([200]);
});

describe('a path that means another to somebody else', () => {
  test.each([
    '/api/v1/%77hoami',
    '/api/v1//whoami',
    '/api/v1/./whoami',
    '/api/v1/x/../whoami',
    '/api/v1/whoami/',
    '/api/v1/whoami;x',
    '/API/v1/whoami',
    '/api/v1/Whoami',
    '/api/v1/whoami%00',
    '/api/v1\\whoami',
    '/api/v1/whoami%2f',
    'http://x/api/v1/whoami',
    '*',
    '/api/v1/whoami#x',
    '/metrics',
    '/api/v1/metrics',
    '/debug/pprof',
    '/api',
    '/',
    '/.env',
  ])('%s is nowhere', async (path) => {
    const { status, text } = await raw(get(path));
    expect(status.every((one) => one === 404 || one === 400)).toBe(true);
    expect(text).not.toContain('bot');
  });
});

describe('a method that is not the route’s', () => {
  test.each(['HEAD', 'OPTIONS', 'TRACE', 'PUT', 'PATCH', 'POST', 'DELETE', 'CONNECT', 'get', 'PROPFIND'])(
    '%s does nothing',
    async (method) => {
      const { status, text } = await raw(get('/api/v1/whoami').replace('GET', method));
      expect(status.every((one) => one >= 400)).toBe(true);
      expect(text).not.toContain(token.slice(-20));
    },
  );

  test.each(['x-http-method-override', 'x-method-override'])('nor by %s', async (header) => {
    const path = `/api/v1/sessions/${sessionId}/kill`;
    expect((await raw(get(path, `authorization: Bearer ${token}\r\n${header}: POST\r\n`))).status).toEqual([404]);
  });
});

describe('an identity that is claimed in another way than by one bearer token', () => {
  test.each<[string, () => string]>([
    ['none', () => get('/api/v1/whoami', '')],
    ['in the query', () => get(`/api/v1/whoami?access_token=${token}`, '')],
    ['in a cookie', () => get('/api/v1/whoami', `cookie: token=${token}\r\n`)],
    ['twice', () => get('/api/v1/whoami', `authorization: Bearer ${token}\r\nauthorization: Bearer x\r\n`)],
    [
      'as Basic',
      () => get('/api/v1/whoami', `authorization: Basic ${Buffer.from(`x:${token}`).toString('base64')}\r\n`),
    ],
    [
      'by a proxy',
      () => get('/api/v1/whoami', 'x-forwarded-user: admin\r\nx-remote-user: admin\r\nx-sluice-principal: admin\r\n'),
    ],
    ['by an access credential', () => get('/api/v1/whoami', `authorization: Bearer ${credential}\r\n`)],
    [
      'with alg none',
      () =>
        get(
          '/api/v1/whoami',
          `authorization: Bearer ${Buffer.from('{"alg":"none"}').toString('base64url')}.${token.split('.')[1]}.\r\n`,
        ),
    ],
  ])('%s', async (_, text) => {
    expect((await raw(text())).status).toEqual([401]);
  });
});

describe('one request hidden in another', () => {
  const hidden = () =>
    `POST /api/v1/sessions/${sessionId}/kill HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-length: 0\r\n\r\n`;
  test.each<[string, string]>([
    ['two lengths', 'content-length: 0\r\ncontent-length: 44\r\n'],
    ['a length and chunks', 'content-length: 4\r\ntransfer-encoding: chunked\r\n'],
    ['chunks by another name', 'transfer-encoding: xchunked\r\n'],
    ['a negative length', 'content-length: -1\r\n'],
    ['a length with a sign', 'content-length: +5\r\n'],
    ['a header that is folded', 'x-a: b\r\n c: d\r\ncontent-length: 1e1\r\n'],
  ])('by %s', async (_, headers) => {
    const outer = `POST /api/v1/policies/dry-runs HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: application/json\r\n${headers}\r\n`;
    const { status } = await raw(`${outer}${hidden()}`);
    expect(status.every((one) => one >= 400)).toBe(true);
    expect(
      (await (await gateway.apiAs({ sub: 'bot', kind: 'agent', groups: ['agents', 'dba'] })).session(sessionId))
        .end_reason ?? null,
    ).toBeNull();
  });
});

describe('a body that is not plain JSON', () => {
  test.each<[string, string, string]>([
    ['another type', 'text/plain', '{"target":"shop"}'],
    ['a form', 'application/x-www-form-urlencoded', 'target=shop'],
    ['a prototype', 'application/json', '{"target":"shop","__proto__":{"ttl":1}}'],
    ['a constructor', 'application/json', '{"target":"shop","constructor":{"prototype":{"x":1}}}'],
    ['a list', 'application/json', '["shop"]'],
    ['too much of it', 'application/json', `{"target":"${'x'.repeat(5_000_000)}"}`],
    ['depth', 'application/json', '['.repeat(100_000)],
    ['a number for a name', 'application/json', '{"target":1}'],
  ])('%s', async (_, type, body) => {
    const head = `POST /api/v1/access-credentials HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${token}\r\ncontent-type: ${type}\r\n`;
    const { status } = await raw(`${head}content-length: ${Buffer.byteLength(body)}\r\n${close}\r\n${body}`);
    expect(status.every((one) => one >= 400 && one < 500)).toBe(true);
  });
});

describe('what belongs to somebody else does not exist', () => {
  const codeOf = (asked: Promise<unknown>): Promise<string> =>
    asked.then(
      () => 'answered',
      (error: { code: string }) => error.code,
    );
  test.each<[string, () => Promise<unknown>]>([
    ['a session', () => stranger.session(sessionId)],
    ['its events', () => stranger.sessionEvents(sessionId)],
    ['its recording', () => stranger.recording(sessionId)],
    ['its end', () => stranger.kill(sessionId)],
    ['an access request', () => stranger.accessRequest(request)],
    ['its approval', () => stranger.approve(request)],
    ['its refusal', () => stranger.deny(request)],
    ['its grant', () => stranger.revokeGrant(request)],
    ['a credential', () => stranger.revokeAccessCredential(credential)],
  ])('%s', async (_, ask) => {
    expect(await codeOf(ask())).toBe('not_found');
  });

  test.each([
    ['the requester', { sub: 'bot', kind: 'agent', groups: ['dba'] }],
    ['the requester as a person', { sub: 'bot', groups: ['dba'] }],
    ['its owner', { sub: 'olga', groups: ['dba'] }],
    ['another agent of its owner', { sub: 'bot-2', kind: 'agent', groups: ['dba'], owner: 'olga' }],
    ['a group of another case', { sub: 'alex', groups: ['DBA', 'dba '] }],
  ] as const)('nor is a request approved by %s', async (_, claims) => {
    expect(await codeOf((await gateway.apiAs(claims)).approve(request))).not.toBe('answered');
    const reviewer = await gateway.apiAs({ sub: 'alex', groups: ['dba'] });
    expect((await reviewer.accessRequest(request)).state).toBe('pending');
  });
});

test('the session left a whole recording', async () => {
  session.end();
  expect(await sealedRecordings(gateway)).toBe(1);
});
