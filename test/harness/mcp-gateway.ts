// A gateway with a real MCP server behind it, for tests of what is decided about it.
import { type AnyGateway, type AnyGatewayOptions, createAnyGateway } from './any-gateway.ts';
import type { TestClaims } from './issuer.ts';
import { RawMcp } from './mcp-clients.ts';
import { createMcpUpstream, type McpUpstream } from './mcp-upstream.ts';
import { type RecordedEvent, recordedEvents, sessionRecordings } from './recorded-events.ts';

export interface McpGateway {
  readonly gateway: AnyGateway;
  readonly upstream: McpUpstream;
  url(target?: string): URL;
  raw(claims: TestClaims, target?: string): Promise<RawMcp>;
  /** Opened already. */
  open(claims: TestClaims, target?: string): Promise<RawMcp>;
  /** Events of all sessions that were recorded so far. */
  events(): Promise<readonly RecordedEvent[]>;
  stop(): Promise<void>;
}

export const operators = `
@id("operators") permit (principal in Group::"operators", action in [Action::"gateway:view", Action::"gateway:manage"], resource);
@id("reviewers-look") permit (principal in Group::"reviewers", action == Action::"gateway:view", resource);
`;

export async function createMcpGateway(policies: string, more: Partial<AnyGatewayOptions> = {}): Promise<McpGateway> {
  const upstream = await createMcpUpstream();
  const target = {
    connector: 'mcp',
    address: `127.0.0.1:${upstream.port}`,
    tls: 'disable',
    credential: { bearer: 'file:bearer' },
  };
  const gateway = await createAnyGateway({
    listen: ['mcp'],
    targets: [
      { name: 'world', ...target },
      { name: 'other', ...target },
    ],
    files: { bearer: upstream.token },
    policies: operators + policies,
    ...more,
  });
  const url = (name = 'world'): URL => {
    const { host, port } = gateway.at('mcp');
    return new URL(`http://${host}:${port}/mcp/${name}`);
  };
  const raw = async (claims: TestClaims, name?: string): Promise<RawMcp> =>
    new RawMcp(url(name), await gateway.token(claims));
  return {
    gateway,
    upstream,
    url,
    raw,
    open: async (claims, name) => {
      const client = await raw(claims, name);
      const answer = await client.open();
      if (client.session === undefined) throw new Error(`not opened: ${JSON.stringify(answer.messages)}`);
      return client;
    },
    events: async () => {
      const all: RecordedEvent[] = [];
      for (const path of await sessionRecordings(gateway.dir)) all.push(...(await recordedEvents(path)));
      return all;
    },
    stop: async () => {
      await gateway.stop();
      await upstream.stop();
    },
  };
}
