/** The contract suite's words for MCP: a real upstream server with sessions, and what to ask of it. */
import { Buffer } from 'node:buffer';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createAnyGateway } from '../harness/any-gateway.ts';
import { createMcpUpstream, type McpUpstream } from '../harness/mcp-upstream.ts';
import { emails } from '../harness/mcp-world.ts';
import type { Adapter, ContractGateway, ContractTarget, GatewayOptions } from './adapter.ts';
import { forms, openMcp } from './mcp-session.ts';

const targetName = 'world';
const call = (name: string, args: Readonly<Record<string, unknown>>): { readonly text: string } => ({
  text: `tools/call ${name} ${JSON.stringify(args)}`,
});
const message = (value: unknown): Buffer => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
const head = (length: string): Buffer =>
  Buffer.from(
    `POST /mcp/world HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n{`,
  );

export const mcpAdapter: Adapter = {
  connector: 'mcp',
  forms,
  verbs: { read: 'mcp:tools.call', forbidden: 'mcp:prompts.get', held: 'mcp:resources.subscribe' },
  lacks: {
    pipelining: 'each request has an exchange of its own, and is answered there',
    parking: 'clients of MCP give up on what takes long: what waits for consent is told at once, and asked again',
  },
  largeBytes: 108_000_000,
  asks: {
    read: (tag) => call('echo', { text: tag }),
    forbidden: (tag) => ({ text: `prompts/get summarise {"topic":"${tag}"}` }),
    held: (tag) => ({ text: `resources/subscribe notes:///${tag}` }),
    failing: (tag) => call('crash', { tag }),
    slow: (tag) => call('slow', { tag }),
    large: (tag) => call('chatter', { times: 9_000, bytes: 12_000, tag }),
    items: (count) => call('items', { count }),
    oversized: (tag) => call('echo', { text: `${tag}${'x'.repeat(300 * 1024)}` }),
    labelled: [
      { way: 'in structured content', ask: call('customer', { id: 1 }) },
      { way: 'in JSON behind words', ask: call('customer', { as: 'prose' }) },
      { way: 'in a fence of Markdown', ask: call('customer', { as: 'fence' }) },
      { way: 'in words alone', ask: call('customer', { as: 'plain' }) },
      { way: 'in a failure', ask: call('customer', { as: 'error' }) },
      { way: 'in an embedded resource', ask: call('customer', { as: 'resource' }) },
      { way: 'in a resource', ask: { text: 'resources/read crm://customers/1' } },
    ],
    prying: [],
  },
  asExecuted: (texts) => texts[0] ?? '',
  oddities: [
    { name: 'a batch', bytes: message([{ jsonrpc: '2.0', id: 1, method: 'ping' }]), after: 'goes on' },
    { name: 'no JSON', bytes: message('SELECT 1'), after: 'goes on' },
    { name: 'text that is no UTF-8', bytes: Buffer.from([0x7b, 0xff, 0x7d]), after: 'goes on' },
    {
      name: 'a second handshake',
      bytes: message({ jsonrpc: '2.0', id: 9, method: 'initialize', params: {} }),
      after: 'goes on',
    },
    {
      name: 'a method that nobody knows',
      bytes: message({ jsonrpc: '2.0', id: 9, method: 'tools/run' }),
      after: 'goes on',
    },
    {
      name: 'a notification that nobody knows',
      bytes: message({ jsonrpc: '2.0', method: 'notifications/x' }),
      after: 'goes on',
    },
    { name: 'an answer to nothing', bytes: message({ jsonrpc: '2.0', id: 9, result: {} }), after: 'goes on' },
    {
      name: 'a member twice',
      bytes: message('{"jsonrpc":"2.0","id":9,"method":"ping","method":"tools/call"}'),
      after: 'goes on',
    },
  ],
  announcements: [
    { name: 'a request', when: 'before login', bytes: head('999999999999') },
    { name: 'a request of negative length', when: 'before login', bytes: head('-1') },
  ],
  startTarget,
  startGateway,
  open: openMcp,
  knock: async (at, bytes) => {
    const socket = connect({ host: at.host, port: at.port });
    socket.on('error', () => {});
    const parts: Buffer[] = [];
    socket.on('data', (part: Buffer) => parts.push(part));
    socket.write(bytes);
    await once(socket, 'close');
    return Buffer.concat(parts);
  },
};

interface McpTarget extends ContractTarget {
  readonly server: McpUpstream;
}

async function startTarget(): Promise<McpTarget> {
  const server = await createMcpUpstream();
  const { world } = server;
  return {
    server,
    address: server,
    credentials: [server.token],
    labelled: emails,
    executed: async () => world.asked.slice(),
    running: async () => [...world.running],
    effects: async (tag) => world.asked.filter((text) => text === `resources/subscribe notes:///${tag}`).length,
    carries: (bytes, tag) => bytes.includes(tag),
    stop: () => server.stop(),
  };
}

async function startGateway(options: GatewayOptions): Promise<ContractGateway> {
  const { upstream, target, policies, dataDir, config } = options;
  const gateway = await createAnyGateway({
    listen: ['mcp'],
    targets: [
      {
        name: targetName,
        connector: 'mcp',
        address: `${upstream.host}:${upstream.port}`,
        tls: 'disable',
        credential: { bearer: 'file:bearer' },
      },
    ],
    files: { bearer: (target as McpTarget).server.token },
    masking: { labels: { 'pii.email': ['world.**.email'] } },
    policies,
    dataDir,
    config,
  });
  return { ...gateway, address: gateway.at('mcp'), targetName };
}
