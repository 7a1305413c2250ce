/**
 * The PostgreSQL connector: protocol 3 in both directions, the meaning of every statement, and what comes back. It
 * decides nothing and opens no socket; `session/serve.ts` follows one connection from start to end.
 */
import type { Connector, ConnectorFactory, ConnectorPorts } from '@sluice/core/contract/connector.ts';
import { sqlDeclarations } from '../sql/verbs.ts';
import { CancelKeys } from './cancel-keys.ts';
import { CatalogCache } from './catalog/cache.ts';
import { CatalogConnection } from './catalog-connection.ts';
import { FreshCatalog } from './fresh-catalog.ts';
import { MeaningCache } from './meaning/cache.ts';
import { loadGrammar } from './meaning/interpret.ts';
import { lineageOf } from './meaning/lineage.ts';
import { sqlOperations } from './operate/declarations.ts';
import { openOperationSession } from './operate/operation-session.ts';
import { PeerTalk } from './peer-talk.ts';
import { serve } from './session/serve.ts';
import { SessionState, stateQuery } from './session/state.ts';
import { type Grounds, understand, unitOf } from './session/understand.ts';

interface Known {
  readonly connection: CatalogConnection;
  readonly catalog: FreshCatalog;
}

export const createPostgresConnector: ConnectorFactory = (ports: ConnectorPorts): Connector => {
  const cancelKeys = new CancelKeys();
  const meanings = new MeaningCache();
  const catalogs = new Map<string, Known>();
  const peerTalk = new PeerTalk(ports.peers, {
    cancel: (pid, secret) => void cancelKeys.cancel(pid, secret),
    catalogChanged: (target) => catalogs.get(target)?.catalog.doubt(),
  });
  const knownOf = (target: string): Known => {
    let known = catalogs.get(target);
    if (!known) {
      const connection = new CatalogConnection(ports.dialAside, target, ports.clock);
      const cache = new CatalogCache(target, connection.run, ports.labels, lineageOf(ports.labels));
      const catalog = new FreshCatalog(cache, connection.run, ports.clock, () => peerTalk.catalogChanged(target));
      known = { connection, catalog };
      catalogs.set(target, known);
    }
    return known;
  };
  const catalogOf = (target: string): FreshCatalog => knownOf(target).catalog;
  const groundsOf = async (target: string): Promise<Grounds> => {
    const { connection, catalog } = knownOf(target);
    const state = new SessionState(target);
    // Reading the catalog leaves its own path behind; a client's session starts with the account's.
    const [row] = await connection.run(`RESET search_path; ${stateQuery}`);
    state.read(row ?? [], '');
    return { state, catalog, labels: ports.labels, meanings };
  };
  const serving = { ...ports, cancelKeys, meanings, peerTalk, catalogOf };
  return {
    id: 'postgres',
    declares: sqlDeclarations,
    discharges: ['mask', 'limit_rows'],
    accept: async (client, admission) => {
      await loadGrammar();
      await serve(serving, client, admission);
    },
    interpret: async (target, text) => {
      await loadGrammar();
      const grounds = await groundsOf(target);
      const understood = await understand(grounds, text);
      return unitOf(grounds, { name: 'Query', frame: Buffer.alloc(0), text, meanings: understood, parameters: [] });
    },
    operations: sqlOperations,
    operate: async (opening, open) => {
      await loadGrammar();
      return openOperationSession({ ...serving, groundsOf }, opening, open);
    },
    close: async () => {
      for (const { connection } of catalogs.values()) connection.close();
    },
  };
};
