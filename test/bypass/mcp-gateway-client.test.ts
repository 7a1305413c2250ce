// Ways around the gateway in front of MCP servers, tried from the client's side: one evasion per row, phrased as the
// decision expected. Rows are never removed.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { RawMcp } from '../harness/mcp-clients.ts';
import { createMcpGateway, type McpGateway } from '../harness/mcp-gateway.ts';

const user = { sub: 'uma', groups: ['agents'] };
const other = { sub: 'otto', groups: ['agents'] };

const policies = `
@id("agents") permit (principal in Group::"agents", action == Action::"connect", resource);
@id("agents-call") permit (principal in Group::"agents", action in [Action::"mcp:tools.call", Action::"mcp:tools.pin", Action::"mcp:tools.list"], resource)
  when { resource in Target::"world" };
@id("agents-read") permit (principal in Group::"agents", action in [Action::"mcp:resources.read", Action::"mcp:prompts.get"], resource)
  unless { context.uri like "notes:///secret*" };
@id("no-drop") forbid (principal, action == Action::"mcp:tools.call", resource == Tool::"world/drop");
@id("no-admin") forbid (principal, action == Action::"mcp:tools.call", resource)
  when { context.arguments.hasTag("/admin") && context.arguments.getTag("/admin") == "true" };
`;

let world: McpGateway;
let client: RawMcp;

beforeAll(async () => {
  world = await createMcpGateway(policies);
  client = await world.open(user);
});
afterAll(() => world?.stop());
beforeEach(() => {
  world.upstream.world.asked.length = 0;
});

const call = (name: string, args: unknown = {}, id: unknown = 1): Record<string, unknown> => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: args },
});

function refusedIn(message: Record<string, unknown> | undefined): boolean {
  const result = message?.['result'] as { isError?: boolean; _meta?: object } | undefined;
  return message?.['error'] !== undefined || (result?.isError === true && result._meta !== undefined);
}

describe('what is no single, plain message is refused, and nothing of it arrives', () => {
  const drop = JSON.stringify(call('drop'));
  test.each<[string, string]>([
    ['a batch', `[${JSON.stringify(call('echo'))},${drop}]`],
    ['a batch of one', `[${drop}]`],
    ['an empty batch', '[]'],
    ['two documents', `${JSON.stringify(call('echo'))}\n${drop}`],
    [
      'the method twice',
      '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call","params":{"name":"echo","arguments":{}}}',
    ],
    [
      'the name twice',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","name":"drop","arguments":{}}}',
    ],
    [
      'the name twice, once escaped',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","n\\u0061me":"drop"}}',
    ],
    [
      'an argument twice',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"admin":false,"admin":true}}}',
    ],
    [
      'params twice',
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"},"params":{"name":"drop"}}',
    ],
    ['params that are a list', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["drop",{}]}'],
    ['another version of JSON-RPC', '{"jsonrpc":"1.0","id":1,"method":"tools/call","params":{"name":"echo"}}'],
    ['no version of JSON-RPC', '{"id":1,"method":"tools/call","params":{"name":"echo"}}'],
    ['an id of null', '{"jsonrpc":"2.0","id":null,"method":"tools/call","params":{"name":"echo"}}'],
    ['an id that is an object', '{"jsonrpc":"2.0","id":{},"method":"tools/call","params":{"name":"echo"}}'],
    ['an id with a fraction', '{"jsonrpc":"2.0","id":1.5,"method":"tools/call","params":{"name":"echo"}}'],
    [
      'an id beyond what numbers hold',
      '{"jsonrpc":"2.0","id":9007199254740993,"method":"tools/call","params":{"name":"echo"}}',
    ],
    ['a member that nobody knows', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"},"extra":1}'],
    ['a method and a result', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"},"result":{}}'],
    ['a comment', `/* x */${drop}`],
    ['a byte order mark', `\ufeff${drop}`],
    ['single quotes', "{'jsonrpc':'2.0','id':1,'method':'tools/call','params':{'name':'drop'}}"],
    ['a trailing comma', '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo",}}'],
    [
      'deep nesting',
      `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"a":${'['.repeat(500)}${']'.repeat(500)}}}}`,
    ],
    ['an answer to nothing', '{"jsonrpc":"2.0","id":1,"result":{}}'],
    ['an error to nothing', '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}'],
    ['nothing', ''],
    ['no JSON', 'tools/call drop'],
  ])('%s', async (_, body) => {
    const { status, messages } = await client.post(body);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(messages.every((message) => message['error'] !== undefined)).toBe(true);
    expect(world.upstream.world.asked).toEqual([]);
  });

  test('what has a name of the prototype is an argument like any other', async () => {
    const body =
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"text":"x","__proto__":{"admin":true},"constructor":1}}}';
    await client.post(body);
    expect(world.upstream.world.asked.length).toBeLessThanOrEqual(1);
    const hidden =
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"__proto__":{"name":"drop"},"name":"echo"}}';
    expect(refusedIn((await client.post(hidden)).messages[0])).toBe(true);
  });

  test.each([
    ['another content type', { 'content-type': 'text/plain' }],
    ['another charset', { 'content-type': 'application/json; charset=utf-16' }],
    ['an encoding of the content that is none', { 'content-encoding': 'rot13' }],
    ['no stream accepted', { accept: 'application/json' }],
    ['a revision that was not agreed on', { 'mcp-protocol-version': '2024-11-05' }],
    ['a revision that nobody knows', { 'mcp-protocol-version': 'latest' }],
  ])('headers: %s', async (_, headers) => {
    const { status } = await client.post(call('echo', { text: 'x' }), headers);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(world.upstream.world.asked).toEqual([]);
  });
});

describe('what a tool is called does not get around a policy on its name', () => {
  test.each([
    'drop ',
    ' drop',
    'Drop',
    'DROP',
    'drop\u0000',
    'drop\u200b',
    '\u202edrop',
    'dr\u00f8p',
    'd\u0433op',
    'drop\n',
    './drop',
    'x/../drop',
    'world/drop',
    'drop?x',
    'drop#x',
    '%64rop',
    'drop\\',
    '',
    'toString',
    'constructor',
    '__proto__',
    'd'.repeat(10_000),
  ])('%j', async (name) => {
    const reply = await client.ask('tools/call', { name, arguments: {} });
    expect(refusedIn(reply as never)).toBe(true);
    expect(world.upstream.world.asked).toEqual([]);
  });

  test.each([
    ['name is a list', { name: ['drop'] }],
    ['name is an object', { name: { toString: 'drop' } }],
    ['name is a number', { name: 1 }],
    ['arguments are a list', { name: 'echo', arguments: ['x'] }],
    ['arguments are a text', { name: 'echo', arguments: '{"admin":true}' }],
    ['arguments are null', { name: 'echo', arguments: null }],
    ['it is to be a task', { name: 'echo', arguments: { text: 'x' }, task: { ttl: 1 } }],
    ['there is a member that nobody knows', { name: 'echo', arguments: {}, Name: 'drop' }],
  ])('%s', async (_, params) => {
    expect(refusedIn((await client.ask('tools/call', params)) as never)).toBe(true);
    expect(world.upstream.world.asked).toEqual([]);
  });

  test('what is true is true, whether it is nested beside other things or not', async () => {
    expect(
      refusedIn((await client.ask('tools/call', { name: 'echo', arguments: { text: 'x', admin: true } })) as never),
    ).toBe(true);
    expect(
      refusedIn((await client.ask('tools/call', { name: 'echo', arguments: { text: 'x', admin: 'true' } })) as never),
    ).toBe(true);
    expect(world.upstream.world.asked).toEqual([]);
  });

  test('a member whose name looks like a pointer is not the member at that pointer', async () => {
    await client.ask('tools/call', { name: 'echo', arguments: { text: 'x', 'a/admin': true, a: { admin: false } } });
    expect(world.upstream.world.asked).toHaveLength(1);
  });
});

describe('methods other than tools/call', () => {
  test.each([
    'tools/execute',
    'Tools/Call',
    'tools/call ',
    'tools//call',
    'call',
    'tasks/get',
    'tasks/result',
    'tasks/list',
    'server/discover',
    'subscriptions/listen',
    'sampling/createMessage',
    'elicitation/create',
    'roots/list',
    'notifications/initialized',
    'rpc.discover',
    'initialize',
    'x'.repeat(500),
  ])('%s is refused and recorded', async (method) => {
    const reply = await client.ask(method, { name: 'drop', arguments: {} });
    expect(reply.error?.code).toBeLessThan(0);
    expect(world.upstream.world.asked).toEqual([]);
  });

  test.each([
    ['notifications/message', { level: 'info', data: 'x' }],
    ['notifications/tools/list_changed', {}],
    ['notifications/progress', { progressToken: 1, progress: 1 }],
    ['notifications/elicitation/complete', {}],
    ['tools/call', { name: 'echo', arguments: { text: 'x' } }],
  ])('as a notification, %s is refused', async (method, params) => {
    const { status } = await client.post({ jsonrpc: '2.0', method, params });
    expect(status).toBe(400);
    expect(world.upstream.world.asked).toEqual([]);
  });

  test('what is not permitted is not completed, subscribed to, listed or set either', async () => {
    for (const [method, params] of [
      [
        'completion/complete',
        { ref: { type: 'ref/prompt', name: 'summarise' }, argument: { name: 'topic', value: 'a' } },
      ],
      ['resources/subscribe', { uri: 'notes:///welcome.txt' }],
      ['resources/list', {}],
      ['resources/templates/list', {}],
      ['prompts/list', {}],
    ] as const) {
      expect((await client.ask(method, params)).error, method).toMatchObject({ code: -32080 });
    }
    expect(world.upstream.world.asked).toEqual([]);
  });

  test.each([
    'notes:///secret.txt',
    'NOTES:///secret.txt',
    'notes:///./secret.txt',
    'notes:///x/../secret.txt',
    'notes:///x/%2e%2e/secret.txt',
    'notes:///%73ecret.txt',
    'notes:////secret.txt',
    'notes:///a//secret.txt',
    'notes:///welcome.txt%2F..%2Fsecret.txt',
    'notes:///welcome.txt#/secret.txt',
    'notes:///welcome.txt\u0000',
    'notes:///secret.txt\u200b',
    'notes:\\\\\\secret.txt',
    ' notes:///secret.txt',
    'notes:///%252e%252e/secret.txt',
    'notes:///%c0%ae%c0%ae/secret.txt',
    'file://user@host/secret.txt',
    'file://HOST/secret.txt',
    'secret.txt',
    '',
  ])('resource %j', async (uri) => {
    expect((await client.ask('resources/read', { uri })).error?.code).toBeLessThan(0);
    expect(world.upstream.world.asked).toEqual([]);
  });

  test('a cursor that was not given out in this session is not passed on', async () => {
    for (const cursor of ['tools:0', '200', "'; drop table tools; --", '']) {
      expect((await client.ask('tools/list', { cursor })).error?.code).toBe(-32602);
    }
  });
});

describe('sessions', () => {
  test('one principal’s session is none to another, and none without a proof', async () => {
    const thief = await world.raw(other);
    thief.session = client.session;
    expect((await thief.post(call('echo', { text: 'x' }))).status).toBe(404);
    expect((await thief.get()).status).toBe(404);
    expect(await thief.leave()).toBe(404);
    const nobody = await world.raw(user);
    nobody.session = client.session;
    Object.assign(nobody, { token: 'x' });
    expect((await nobody.post(call('echo', { text: 'x' }))).status).toBe(401);
    expect(world.upstream.world.asked).toEqual([]);
    expect((await client.call('echo', { text: 'mine' })).content[0]?.text).toBe('mine');
  });

  test('a session that was opened with a token is none to an access credential of the same principal', async () => {
    const api = await world.gateway.apiAs(user);
    const { id, secret } = await api.issueAccessCredential({ target: 'world' });
    const same = await world.raw(user);
    Object.assign(same, { token: `${id}:${secret}`, session: client.session });
    expect((await same.post(call('echo', { text: 'x' }))).status).toBe(404);
  });

  test('a session at one target is none at another', async () => {
    const elsewhere = await world.raw(user, 'other');
    elsewhere.session = client.session;
    expect((await elsewhere.post(call('echo', { text: 'x' }))).status).toBe(404);
    expect(world.upstream.world.asked).toEqual([]);
  });

  test('the client does not choose its session, nor get to know the target’s', async () => {
    const chosen = await world.raw(user);
    chosen.session = 'i-chose-this';
    expect((await chosen.open()).status).toBe(404);
    const { headers, messages } = await (await world.raw(user)).open();
    expect(headers.get('mcp-session-id')).toMatch(/^[\w-]{32,}$/);
    expect(JSON.stringify(messages)).not.toContain(headers.get('mcp-session-id'));
  });

  test('nothing but initialize is served without a session', async () => {
    const fresh = await world.raw(user);
    expect((await fresh.post(call('echo', { text: 'x' }))).status).toBe(400);
    expect((await fresh.get()).status).toBe(400);
    expect(await fresh.leave()).toBe(400);
    expect((await fresh.post({ jsonrpc: '2.0', method: 'notifications/initialized' })).status).toBe(400);
  });

  test('a session that is over stays over', async () => {
    const short = await world.open(user);
    expect(await short.leave()).toBe(200);
    expect((await short.post(call('echo', { text: 'x' }))).status).toBe(404);
    expect(await short.leave()).toBe(404);
  });

  test('a method of HTTP that is none of MCP’s is refused', async () => {
    for (const method of ['PUT', 'PATCH', 'OPTIONS', 'HEAD']) {
      const { status } = await fetch(client.url, { method, headers: client.headers() });
      expect(status).toBe(405);
    }
  });

  test('sessions of one principal are bounded', async () => {
    const many = await world.raw({ sub: 'mallory', groups: ['agents'] });
    const statuses: number[] = [];
    for (let n = 0; n < 40; n++) {
      many.session = undefined;
      statuses.push((await many.open()).status);
    }
    expect(statuses.slice(0, 32).every((status) => status === 200)).toBe(true);
    expect(statuses.slice(32).every((status) => status === 429)).toBe(true);
  });
});

describe('what is under way', () => {
  const running = (): string[] => [...world.upstream.world.running];

  test('an id that is under way is not taken again, and the first goes on', async () => {
    const mine = await world.open(user);
    const first = mine.post(call('slow', { tag: 'dup' }, 7));
    await expect.poll(running).toContain('dup');
    expect(refusedIn((await mine.post(call('echo', { text: 'x' }, 7))).messages[0])).toBe(true);
    expect((await mine.post(call('echo', { text: 'y' }, '7'))).messages[0]).toMatchObject({ id: '7', result: {} });
    await mine.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7 } });
    await first;
    await expect.poll(running).not.toContain('dup');
    await mine.leave();
  });

  test('nobody cancels what another session asked for', async () => {
    const mine = await world.open(user);
    const theirs = await world.open(user);
    const first = mine.post(call('slow', { tag: 'foreign' }, 11));
    await expect.poll(running).toContain('foreign');
    for (let id = 0; id < 40; id++) {
      await theirs.post({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } });
    }
    expect(running()).toContain('foreign');
    await mine.leave();
    await first.catch(() => {});
    await expect.poll(running).not.toContain('foreign');
    await theirs.leave();
  });

  test('progress goes to who asked for it, under the token that they chose', async () => {
    const [mine, theirs] = [await world.open(user), await world.open(user)];
    const asked = (to: number): unknown => ({
      ...call('count', { to }),
      params: { name: 'count', arguments: { to }, _meta: { progressToken: 'same' } },
    });
    const [a, b] = await Promise.all([mine.post(asked(2)), theirs.post(asked(3))]);
    const totals = (messages: readonly Record<string, unknown>[]): unknown[] =>
      messages.filter(({ method }) => method === 'notifications/progress').map(({ params }) => params);
    expect(totals(a.messages)).toHaveLength(2);
    expect(totals(b.messages)).toHaveLength(3);
    expect(totals(a.messages)).toEqual(
      [1, 2].map((n) => ({ progressToken: 'same', progress: n, total: 2, message: `step ${n}` })),
    );
    await mine.leave();
    await theirs.leave();
  });

  test('a flood of requests is bounded', async () => {
    const patient = { timeout: 20_000 };
    const mine = await world.open(user);
    const many = Array.from({ length: 40 }, (_, n) => mine.post(call('slow', { tag: `flood${n}` }, n)));
    await expect.poll(() => running().filter((mark) => mark.startsWith('flood')).length, patient).toBe(32);
    await mine.leave();
    const answers = await Promise.allSettled(many);
    expect(answers.length).toBe(40);
    await expect.poll(() => running().filter((mark) => mark.startsWith('flood')), patient).toEqual([]);
  });
});
