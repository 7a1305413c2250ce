// Upstream MCP servers through a real gateway, with the official clients of both generations.
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AnyGateway, createAnyGateway, permitAll } from '../harness/any-gateway.ts';
import { connectModern, connectOlder, RawMcp } from '../harness/mcp-clients.ts';
import { createMcpUpstream, type McpUpstream } from '../harness/mcp-upstream.ts';
import { emails } from '../harness/mcp-world.ts';

const program = fileURLToPath(new URL('../harness/mcp-program.ts', import.meta.url));
const tsx = import.meta.resolve('tsx');

let upstream: McpUpstream;
let gateway: AnyGateway;

const operators = `
@id("operators") permit (principal in Group::"operators", action in [Action::"gateway:view", Action::"gateway:manage"], resource);
`;

beforeAll(async () => {
  upstream = await createMcpUpstream();
  gateway = await createAnyGateway({
    listen: ['mcp'],
    targets: [
      {
        name: 'world',
        connector: 'mcp',
        address: `127.0.0.1:${upstream.port}`,
        tls: 'disable',
        credential: { bearer: 'file:bearer' },
      },
      {
        name: 'program',
        connector: 'mcp',
        command: [process.execPath, '--import', tsx, program],
        credential: { token: 'file:bearer' },
      },
    ],
    files: { bearer: upstream.token },
    policies: permitAll,
    masking: { labels: { 'pii.mail': ['world.**.email', 'program.**.email'] } },
  });
});

afterAll(async () => {
  await gateway?.stop();
  await upstream?.stop();
});

function urlOf(target: string): URL {
  const { host, port } = gateway.at('mcp');
  return new URL(`http://${host}:${port}/mcp/${target}`);
}

const user = { sub: 'uma', groups: ['agents'] };

describe.each(['world', 'program'])('the target %s', (target) => {
  test('is used by the official client of today', async () => {
    const client = await connectModern(urlOf(target), await gateway.token(user));
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toContain('echo');
    expect(await client.callTool({ name: 'echo', arguments: { text: 'hello' } })).toMatchObject({
      content: [{ type: 'text', text: 'hello' }],
    });
    await client.close();
  });

  test('is used by the official client of yesterday', async () => {
    const client = await connectOlder(urlOf(target), await gateway.token(user));
    const { tools } = await client.listTools();
    expect(tools.map(({ name }) => name)).toContain('echo');
    expect(await client.callTool({ name: 'echo', arguments: { text: 'hello' } })).toMatchObject({
      content: [{ type: 'text', text: 'hello' }],
    });
    await client.close();
  });

  test('answers everything that MCP servers are asked', async () => {
    const client = await connectModern(urlOf(target), await gateway.token(user));
    expect((await client.listResources()).resources.map(({ uri }) => uri)).toEqual([
      'notes:///welcome.txt',
      'notes:///secret.txt',
    ]);
    expect((await client.listResourceTemplates()).resourceTemplates).toHaveLength(1);
    expect(await client.readResource({ uri: 'notes:///welcome.txt' })).toMatchObject({
      contents: [{ text: 'content of notes:///welcome.txt' }],
    });
    expect((await client.listPrompts()).prompts).toMatchObject([{ name: 'summarise' }]);
    expect((await client.getPrompt({ name: 'summarise', arguments: { topic: 'x' } })).messages).toHaveLength(1);
    const completed = await client.complete({
      ref: { type: 'ref/prompt', name: 'summarise' },
      argument: { name: 'topic', value: 'a' },
    });
    expect(completed.completion.values[0]).toBe('ax');
    await client.setLoggingLevel('error');
    await client.subscribeResource({ uri: 'notes:///welcome.txt' });
    await client.unsubscribeResource({ uri: 'notes:///welcome.txt' });
    await client.ping();
    expect(client.getInstructions()).toBeUndefined();
    const steps: number[] = [];
    await client.callTool(
      { name: 'count', arguments: { to: 3 } },
      { onprogress: ({ progress }) => steps.push(progress) },
    );
    expect(steps).toEqual([1, 2, 3]);
    await client.close();
  });

  test('masks labelled values wherever they stand', async () => {
    await gateway.setPolicies(
      `${operators}@id("all") permit (principal, action in [Action::"connect", Action::"read", Action::"write", Action::"execute"], resource);`,
    );
    const raw = new RawMcp(urlOf(target), await gateway.token(user));
    await raw.open();
    for (const as of ['both', 'prose', 'fence', 'plain', 'error', 'resource']) {
      const answer = JSON.stringify(await raw.call('customer', { as }));
      expect(answer).not.toContain(emails[0]);
    }
    expect(JSON.stringify(await raw.ask('resources/read', { uri: 'crm://customers/1' }))).not.toContain(emails[1]);
    expect(
      JSON.stringify(await raw.ask('prompts/get', { name: 'summarise', arguments: { topic: 'x' } })),
    ).not.toContain(emails[0]);
    await raw.leave();
    await gateway.setPolicies(permitAll);
  });
});
