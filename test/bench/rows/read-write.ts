import { type PostgresWorld, pgbouncer, sluice } from './postgres-peers.ts';
import type { Row } from './row.ts';
import { compareTransactions } from './transactions.ts';

/** BEGIN, three UPDATEs, a SELECT, an INSERT, END. */
const statements = 7;
const clients = 8;

export const readWrite: Row<PostgresWorld> = {
  id: 'tpcb-like',
  title: `pgbench, TPC-B-like, ${clients} clients`,
  what: `\`pgbench -b tpcb-like -c ${clients}\`, ${statements} statements in each transaction, three of them UPDATEs: transactions a second.`,
  unit: '/s',
  goal: { of: sluice, to: pgbouncer, at: 'least', bound: 0.85 },
  quick: true,
  measure: async (world, settings) => ({
    figures: await compareTransactions(
      world,
      {
        row: 'tpcb-like',
        args: ['-b', 'tpcb-like'],
        clients,
        statements,
        sample: ({ perSecond }) => perSecond,
      },
      settings,
    ),
  }),
};
