import { connectors } from '@sluice/connectors/index.ts';
import { renderEditorSchema } from '@sluice/server/config/reference-page.ts';
import { withGateway } from './another-gateway.ts';
import { type PostgresWorld, pgbouncer, sluice } from './postgres-peers.ts';
import { gatewayOptions, throughGateway } from './postgres-world.ts';
import type { Row } from './row.ts';
import { compareTransactions } from './transactions.ts';

function twoWorkers(clients: number): Row<PostgresWorld> {
  const id = `workers-${clients}`;
  return {
    id,
    title: `pgbench -S, simple, ${clients} clients, two workers`,
    what: `\`pgbench -S -c ${clients}\` to a gateway with \`workers: 2\`: transactions a second. PgBouncer has one process.`,
    unit: '/s',
    goal: { of: sluice, to: pgbouncer, at: 'least', bound: 1 },
    quick: false,
    measure: async (world, settings) => {
      if (!knowsWorkers()) return { skipped: 'the configuration has no key `workers`' };
      return withGateway(
        gatewayOptions(world.database, settings.cpuProfile, { workers: 2 }),
        async (gateway, ledger) => {
          const others = world.peers.filter(({ who }) => who !== sluice);
          const peers = [...others, await throughGateway(gateway)];
          const what = {
            row: id,
            args: ['-S'],
            clients,
            statements: 1,
            sample: ({ perSecond }: { readonly perSecond: number }) => perSecond,
          };
          return { figures: await compareTransactions({ ...world, ledger }, what, settings, peers) };
        },
      );
    },
  };
}

function knowsWorkers(): boolean {
  const schema = JSON.parse(renderEditorSchema(connectors)) as {
    readonly properties?: Readonly<Record<string, unknown>>;
  };
  return schema.properties?.['workers'] !== undefined;
}

export const workersRows: readonly Row<PostgresWorld>[] = [8, 32].map(twoWorkers);
