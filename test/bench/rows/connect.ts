import { startPgBouncer } from '../peers/pgbouncer.ts';
import { type PostgresWorld, pgbouncer, sluice } from './postgres-peers.ts';
import type { Row } from './row.ts';
import { compareTransactions } from './transactions.ts';

const fresh = 'PgBouncer, nothing reused';

export const connect: Row<PostgresWorld> = {
  id: 'connect',
  title: 'connect and log in, TLS, SCRAM',
  what:
    '`pgbench -C -S -c 1`, a connection for each transaction, with TLS and SCRAM-SHA-256 at everybody: milliseconds of ' +
    'connecting and logging in. PgBouncer hands out connections to the server that are there already; the gateway ' +
    'logs in at the server for every session, as PgBouncer does with `server_lifetime = 0`, which is measured, too.',
  unit: 'ms',
  goal: { of: sluice, to: pgbouncer, at: 'most', bound: 1.5 },
  quick: true,
  measure: async (world, settings) => {
    const started = await startPgBouncer(world.database, 'server_lifetime = 0\n');
    const bouncer = 'skipped' in started ? undefined : started;
    try {
      const more = bouncer ? [{ who: fresh, way: bouncer.way, ca: bouncer.ca }] : [];
      const peers = [...world.peers, ...more];
      const what = {
        row: 'connect',
        args: ['-C', '-S'],
        clients: 1,
        statements: 1,
        warmUp: settings.quick ? 20 : 200,
        tls: true as const,
        sample: ({ connecting = Number.NaN }: { readonly connecting?: number }) => connecting,
      };
      return { figures: await compareTransactions(world, what, settings, peers) };
    } finally {
      await bouncer?.stop();
    }
  },
};
