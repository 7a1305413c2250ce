/**
 * The MCP connector: lets requests in, finds out who sent them, and leads them to where their path points: the gateway's
 * own tools (`front`), or one upstream MCP server (`gateway`). It answers nothing itself but what is refused at the door.
 * What serves is loaded with the first client, as its library is large and not every gateway has MCP.
 */
import type { Connector, ConnectorFactory, ConnectorPorts } from '@sluice/core/contract/connector.ts';
import { mcpDeclarations } from './verbs.ts';

export const createMcpConnector: ConnectorFactory = (ports: ConnectorPorts): Connector => {
  let serving: ReturnType<typeof load> | undefined;
  const load = async () => (await import('./serve-client.ts')).createServing(ports);
  return {
    id: 'mcp',
    declares: mcpDeclarations,
    discharges: ['mask'],
    // Sessions of upstream servers, by their ids, and the rest of a result, by its cursor.
    keepsClients: true,
    accept: async (client, admission) => {
      serving ??= load();
      await (await serving)(client, admission);
    },
    interpret: async (target, text) =>
      (await import('./gateway/interpret.ts')).interpret(target, text, ports.limits.statementBytes),
    close: async () => {},
  };
};
