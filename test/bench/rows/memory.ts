import { openIdleSessions } from '../load/idle-sessions.ts';
import type { GatewayOptions } from '../peers/gateway.ts';
import { withGateway } from './another-gateway.ts';
import { type PostgresWorld, sluice } from './postgres-peers.ts';
import { gatewayOptions, throughGateway } from './postgres-world.ts';
import { settled } from './resident-memory.ts';
import type { Row } from './row.ts';

const sessions = 1000;

const ofProcess: Row<PostgresWorld> = {
  id: 'memory-process',
  title: 'memory of the process, idle',
  what:
    'Resident memory of a gateway that was just started, with its store in PostgreSQL instead of the embedded one, when ' +
    'it does not change any more.',
  unit: 'MiB',
  goal: { of: sluice, at: 'most', bound: 150 },
  quick: true,
  measure: async (world, settings) => {
    const samples: number[] = [];
    for (let round = 1; round <= (settings.quick ? 1 : Math.min(settings.rounds, 3)); round++) {
      settings.progress(`start ${round}`);
      samples.push(await withGateway(await storedOutside(world), async ({ pid }) => (await settled(pid)) / 1024));
    }
    return { figures: [{ who: sluice, samples }] };
  },
};

const perSession: Row<PostgresWorld> = {
  id: 'memory-session',
  title: 'memory of an idle session',
  what:
    `What the resident memory of the gateway grows by when ${sessions} sessions are opened and nothing is done with ` +
    'them, divided by their number. Before that, 100 were opened and closed, so that what comes with the first is there.',
  unit: 'KiB',
  goal: { of: sluice, at: 'most', bound: 40 },
  quick: false,
  measure: async (world, settings) =>
    withGateway(await storedOutside(world), async (gateway, ledger) => {
      const { way } = await throughGateway(gateway);
      const open = async (count: number) => {
        const application = world.application('idle');
        ledger.sent({ by: application, units: 0 });
        return openIdleSessions(way, count, application);
      };
      await (await open(100)).close();
      const before = await settled(gateway.pid);
      settings.progress(`${sessions} sessions are opened`);
      const idle = await open(sessions);
      const after = await settled(gateway.pid);
      await idle.close();
      const notes = [`${(before / 1024).toFixed(0)} MiB before, ${(after / 1024).toFixed(0)} MiB with them`];
      return { figures: [{ who: sluice, samples: [(after - before) / sessions] }], notes };
    }),
};

let stores = 0;

/** The gateway's options with a new, empty store in the same PostgreSQL. */
async function storedOutside({ database }: PostgresWorld): Promise<GatewayOptions> {
  const name = `store_${++stores}`;
  const { host, port, user, password } = database.way;
  await database.server.sql(`CREATE DATABASE ${name} OWNER ${user}`);
  const options = gatewayOptions(database, undefined, { store: 'file:store-url' });
  return {
    ...options,
    files: { ...options.files, 'store-url': `postgres://${user}:${password}@${host}:${port}/${name}` },
  };
}

export const memoryRows: readonly Row<PostgresWorld>[] = [ofProcess, perSession];
