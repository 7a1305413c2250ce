// Targets of other protocols than the database's, through the gateway's own MCP server: an API and a host, with the same
// answers for what is done, denied, held and failed.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { needing } from '../harness/clients.ts';
import { sshTargetOf } from '../harness/ssh-gateway.ts';
import { createTestSshd, findSshd, type TestSshd } from '../harness/sshd.ts';
import { createFrontGateway, type FrontClient, type FrontGateway, people } from './mcp-front-gateway.ts';

const policies = `
@id("agents-connect") permit (principal in Group::"agents", action == Action::"connect", resource);
@id("agents-read") permit (principal in Group::"agents", action in [Action::"read", Action::"write"], resource);
@id("no-deleting") @reason("Nothing is deleted here")
forbid (principal, action == Action::"http:delete", resource);
@id("orders-wait") @approval("dba") @reason("Orders cost money")
forbid (principal, action == Action::"http:write", resource == Endpoint::"crm/orders");
@id("operators") permit (principal in Group::"operators", action in [Action::"gateway:view", Action::"gateway:manage"], resource);
`;

let api: Server;
let front: FrontGateway;
let client: FrontClient;
const seen: string[] = [];
beforeAll(async () => {
  api = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers.authorization ?? '-'}`);
    response.writeHead(request.url === '/missing' ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ path: request.url, mail: 'somebody@example.com' }));
  }).listen(0, '127.0.0.1');
  await once(api, 'listening');
  front = await createFrontGateway({
    policies,
    masking: {},
    targets: [
      {
        name: 'crm',
        connector: 'http',
        address: `127.0.0.1:${(api.address() as AddressInfo).port}`,
        tls: 'disable',
        credential: { bearer: 'file:password' },
      },
    ],
  });
  client = await front.as(people.agent);
});
afterAll(async () => {
  await front?.stop();
  api?.close();
});

const request = (method: string, path: string, more: object = {}) =>
  client.call('request', { target: 'crm', method, path, ...more });

test('the tools are those of the targets there are', async () => {
  const names = (await client.tools()).map(({ name }) => name);
  expect(names).toContain('request');
  expect(names).not.toContain('query');
});

test('a request is carried out with the credential of the target, which the caller never sees, and masked', async () => {
  const answer = await request('GET', '/customers', { query: { limit: '1' } });
  expect(answer).toMatchObject({ status: 'done', result: { status: 200, body: { path: '/customers?limit=1' } } });
  expect(JSON.stringify(answer)).not.toContain('somebody@example.com');
  expect(seen.at(-1)).toBe(`GET /customers?limit=1 Bearer ${front.postgres.password}`);
  expect(JSON.stringify(answer)).not.toContain(front.postgres.password);
});

test('a denial teaches, and nothing reaches the API', async () => {
  const before = seen.length;
  expect(await request('DELETE', '/customers/1')).toMatchObject({
    isError: true,
    status: 'denied',
    reason: expect.stringMatching(/Nothing is deleted here/),
    policies: ['no-deleting'],
  });
  expect(seen).toHaveLength(before);
});

test('what is held is pending, and is carried out by the identical call once approved', async () => {
  const order = () => request('POST', '/orders', { body: { item: 7, count: 2 } });
  const before = seen.length;
  const pending = await order();
  expect(pending).toMatchObject({ status: 'pending', request: expect.stringMatching(/^req_/) });
  expect(seen).toHaveLength(before);
  await (await front.gateway.apiAs(people.dba)).approve(String(pending['request']));
  expect(await request('POST', '/orders', { body: { item: 7, count: 3 } })).toMatchObject({ status: 'pending' });
  expect(await order()).toMatchObject({ status: 'done', result: { status: 200 } });
  expect(seen.slice(before)).toEqual([expect.stringMatching(/^POST \/orders /)]);
});

test('the API’s own errors are its answers', async () => {
  expect(await request('GET', '/missing')).toMatchObject({ status: 'done', result: { status: 404 } });
});

test.each(['/../secret', '/a/%2e%2e/b', '//evil', 'https://evil.example/', '/a\\b', '/%00'])(
  'a path that two readers could take for two is refused: %s',
  async (path) => {
    const before = seen.length;
    const answer = await request('GET', path);
    expect(answer).toMatchObject({ isError: true });
    expect(seen).toHaveLength(before);
  },
);

const sshd = findSshd();
describe.skipIf(!sshd.there)(needing(sshd, 'a host'), () => {
  const onHosts = `
@id("agents-connect") permit (principal in Group::"agents", action == Action::"connect", resource);
@id("agents-run") permit (principal in Group::"agents", action == Action::"ssh:exec", resource);
@id("no-rm") @reason("Nothing is removed here")
forbid (principal, action == Action::"ssh:exec", resource == Command::"web/rm");
@id("touch-waits") @approval("dba") @reason("Somebody looks at this first")
forbid (principal, action == Action::"ssh:exec", resource == Command::"web/touch");
`;
  let server: TestSshd;
  let host: FrontGateway;
  let agent: FrontClient;
  beforeAll(async () => {
    server = await createTestSshd();
    host = await createFrontGateway({
      policies: onHosts,
      masking: {},
      targets: [sshTargetOf(server)],
      files: { 'target-key': server.privateKey },
    });
    agent = await host.as(people.agent);
  });
  afterAll(async () => {
    await host?.stop();
    await server?.stop();
  });
  const run = (command: string) => agent.call('run', { target: 'web', command });

  test('runs commands, and tells how they ended', async () => {
    expect(await run('echo out; echo err >&2; exit 3')).toMatchObject({
      status: 'done',
      result: { stdout: 'out\n', stderr: 'err\n', exit_code: 3 },
    });
  });

  test('denies, holds and carries out as anything else', async () => {
    expect(await run('rm -rf /nowhere')).toMatchObject({ status: 'denied', policies: ['no-rm'] });
    const pending = await run('touch /dev/null');
    expect(pending).toMatchObject({ status: 'pending' });
    await (await host.gateway.apiAs(people.dba)).approve(String(pending['request']));
    expect(await run('touch /dev/null')).toMatchObject({ status: 'done', result: { exit_code: 0 } });
  });
});
