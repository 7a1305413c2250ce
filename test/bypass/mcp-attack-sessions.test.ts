// Whose a session, an approval or an operation at an upstream MCP server is, and what an approval is good for: one
// attempt per row, phrased as the decision expected. Rows are never removed.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TestClaims } from '../harness/issuer.ts';
import type { RawMcp } from '../harness/mcp-clients.ts';
import { createMcpGateway, type McpGateway } from '../harness/mcp-gateway.ts';

const policies = `
@id("agents") permit (principal in Group::"agents", action in [Action::"connect", Action::"read", Action::"execute"], resource);
@id("adds-wait") @approval("reviewers") forbid (principal, action == Action::"mcp:tools.call", resource == Tool::"world/add");
@id("drops-wait") @approval("reviewers") forbid (principal, action == Action::"mcp:tools.call", resource == Tool::"world/drop")
unless { principal in Group::"admins" };
`;
const user: TestClaims = { sub: 'uma', groups: ['agents'] };
const reviewer: TestClaims = { sub: 'rita', groups: ['reviewers'] };

let world: McpGateway;

beforeAll(async () => {
  world = await createMcpGateway(policies);
});

afterAll(() => world?.stop());

beforeEach(() => {
  world.upstream.world.asked.length = 0;
});

describe('a session that was opened with one token', () => {
  const others: [string, TestClaims][] = [
    ['fewer groups', { sub: 'ada', groups: ['agents'] }],
    ['more groups', { sub: 'ada', groups: ['agents', 'admins', 'reviewers'] }],
    ['an owner', { sub: 'ada', kind: 'agent', owner: 'rita', groups: ['agents', 'admins'] }],
    ['somebody who acts for them', { sub: 'ada', groups: ['agents', 'admins'], more: { act: { sub: 'eve' } } }],
    ['another kind', { sub: 'ada', kind: 'service', groups: ['agents', 'admins'] }],
  ];
  test.each(others)('is not there for one of the same principal with %s', async (_, claims) => {
    const admin = await world.open({ sub: 'ada', groups: ['agents', 'admins'] });
    const other = await world.raw(claims);
    other.session = admin.session;
    for (const status of [(await other.post(call('drop'))).status, (await other.get()).status, await other.leave()]) {
      expect([401, 404]).toContain(status);
    }
    expect(world.upstream.world.asked).toEqual([]);
    expect((await admin.call('drop')).isError).toBeUndefined();
    await admin.leave();
  });

  test('is there for a later token that says the same', async () => {
    const admin = await world.open({ sub: 'ada', groups: ['agents', 'admins'] });
    const later = await world.raw({ sub: 'ada', groups: ['admins', 'agents'], ttl: 4_000 });
    later.session = admin.session;
    expect((await later.call('drop')).isError).toBeUndefined();
    await admin.leave();
  });
});

describe('an approval', () => {
  const approved = '{"tag":"caf\u00e9","n":1,"list":[1,2]}';

  async function added(client: RawMcp, args: string, more = ''): Promise<Record<string, unknown>> {
    const text = `{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"add","arguments":${args}${more}}}`;
    const { messages } = await client.post(text);
    return messages.at(-1) ?? {};
  }

  test.each<[string, string]>([
    ['members in another order', '{"n":1,"tag":"caf\u00e9","list":[1,2]}'],
    ['a text that looks the same (NFD)', '{"tag":"cafe\u0301","n":1,"list":[1,2]}'],
    ['a text with what cannot be seen', '{"tag":"caf\u00e9\u200b","n":1,"list":[1,2]}'],
    ['a text for a number', '{"tag":"caf\u00e9","n":"1","list":[1,2]}'],
    ['true for a number', '{"tag":"caf\u00e9","n":true,"list":[1,2]}'],
    ['a number beside it', '{"tag":"caf\u00e9","n":1.0000000000000002,"list":[1,2]}'],
    ['an element more', '{"tag":"caf\u00e9","n":1,"list":[1,2,null]}'],
    ['elements in another order', '{"tag":"caf\u00e9","n":1,"list":[2,1]}'],
    ['a member more', '{"tag":"caf\u00e9","n":1,"list":[1,2],"x":null}'],
    ['a member of the prototype', '{"tag":"caf\u00e9","n":1,"list":[1,2],"__proto__":{"admin":true}}'],
    ['a member twice', '{"tag":"caf\u00e9","n":1,"list":[1,2],"tag":"other"}'],
    ['a member twice, once escaped', '{"tag":"caf\u00e9","n":1,"list":[1,2],"t\\u0061g":"other"}'],
    ['a name in other letters', '{"Tag":"caf\u00e9","n":1,"list":[1,2]}'],
  ])('is not one of a call with %s', async (_, args) => {
    const client = await world.open(user);
    const pending = (await added(client, approved)) as { result?: { structuredContent?: { request?: string } } };
    const request = String(pending.result?.structuredContent?.request);
    const api = await world.gateway.apiAs(reviewer);
    await api.approve(request);
    const other = await added(client, args);
    const refused = other['error'] !== undefined || JSON.stringify(other).includes('"status":"pending"');
    expect(refused, JSON.stringify(other)).toBe(true);
    expect(world.upstream.world.asked).toEqual([]);
    // It is still there for what it was given for, also written in other ways.
    const same = '{ "t\\u0061g": "caf\\u00e9", "n": 1.0, "list": [1e0, 20e-1] }';
    expect(JSON.stringify(await added(client, same, ',"_meta":{"sluice/run":"r","x":1}'))).toContain('added');
    expect(world.upstream.world.asked).toEqual([`tools/call add ${approved}`]);
    await client.leave();
  });

  test('is not one of the same call at another target, of another principal, or in a prompt', async () => {
    const client = await world.open(user);
    const pending = (await added(client, approved)) as { result?: { structuredContent?: { request?: string } } };
    const api = await world.gateway.apiAs(reviewer);
    await api.approve(String(pending.result?.structuredContent?.request));
    const stranger = await world.open({ sub: 'sam', groups: ['agents'] });
    expect(JSON.stringify(await added(stranger, approved))).toContain('"status":"pending"');
    const owned = await world.open({ ...user, kind: 'agent', owner: 'rita' });
    expect(JSON.stringify(await added(owned, approved))).toContain('"status":"pending"');
    expect(world.upstream.world.asked).toEqual([]);
    for (const each of [client, stranger, owned]) await each.leave();
  });
});

function call(name: string): Record<string, unknown> {
  return { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } };
}
