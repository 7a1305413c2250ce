/**
 * The HTTP connector: requests to APIs by HTTP/1.1, HTTP/2 and WebSocket, what they mean, and what comes back. Both
 * sides are terminated here: a request is made anew from what was judged. It decides nothing and opens no socket;
 * `serve-client.ts` follows one connection of a client. What serves is loaded with the first that needs it, as its
 * libraries are large and not every gateway has APIs.
 */
import type { Connector, ConnectorFactory, ConnectorPorts } from '@sluice/core/contract/connector.ts';
import { httpOperations } from './operate/operations.ts';
import { createRoutes } from './route.ts';
import { type HttpTarget, httpTarget } from './target-form.ts';
import { httpDeclarations } from './verbs.ts';

export const createHttpConnector: ConnectorFactory = (ports: ConnectorPorts): Connector => {
  const targets = new Map<string, HttpTarget>(
    ports.targets.map(({ name, settings }) => [name, httpTarget(name, settings)]),
  );
  const routes = createRoutes([...targets.values()]);
  const grounds = { ports, labels: ports.labels, routes, target: (name: string) => targets.get(name) };
  return {
    id: 'http',
    declares: httpDeclarations,
    discharges: ['mask'],
    accept: async (client, admission) => (await import('./serve-client.ts')).serveClient(grounds, client, admission),
    interpret: async (target, text) => (await import('./interpret.ts')).interpretText(grounds, target, text),
    operations: httpOperations,
    operate: async (opening, open) =>
      (await import('./operate/operation-session.ts')).openOperationSession(grounds, opening, open),
    close: async () => {},
  };
};
