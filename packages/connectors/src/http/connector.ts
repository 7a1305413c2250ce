/**
 * The HTTP connector: requests to APIs by HTTP/1.1, HTTP/2 and WebSocket, what they mean, and what comes back. Both
 * sides are terminated here: a request is made anew from what was judged. It decides nothing and opens no socket;
 * `serve-client.ts` follows one connection of a client.
 */
import type { Connector, ConnectorFactory, ConnectorPorts } from '@sluice/core/contract/connector.ts';
import { interpretText } from './interpret.ts';
import { openOperationSession } from './operate/operation-session.ts';
import { httpOperations } from './operate/operations.ts';
import { createRoutes } from './route.ts';
import { serveClient } from './serve-client.ts';
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
    accept: (client, admission) => serveClient(grounds, client, admission),
    interpret: (target, text) => interpretText(grounds, target, text),
    operations: httpOperations,
    operate: (opening, open) => openOperationSession(grounds, opening, open),
    close: async () => {},
  };
};
