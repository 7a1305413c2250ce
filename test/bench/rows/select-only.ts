import { type PostgresWorld, pgbouncer, sluice } from './postgres-peers.ts';
import type { Row } from './row.ts';
import { compareTransactions } from './transactions.ts';

type Mode = 'simple' | 'extended' | 'prepared';

/** pgbench's own smallest transaction: one row by its key. Nothing hides what stands in between. */
function selectOnly(mode: Mode, clients: number, quick: boolean): Row<PostgresWorld> {
  const alone = clients === 1;
  const id = `select-${mode}-${clients}`;
  return {
    id,
    title: `pgbench -S, ${mode}, ${clients} client${alone ? '' : 's'}`,
    what: `\`pgbench -S -M ${mode} -c ${clients}\`: ${
      alone ? 'milliseconds of a transaction' : 'transactions a second'
    }.`,
    unit: alone ? 'ms' : '/s',
    goal: alone
      ? { of: sluice, to: pgbouncer, at: 'most', bound: 1.1 }
      : { of: sluice, to: pgbouncer, at: 'least', bound: 0.8 },
    quick,
    measure: async (world, settings) => ({
      figures: await compareTransactions(
        world,
        {
          row: id,
          args: ['-S', '-M', mode],
          clients,
          statements: 1,
          sample: ({ latency, perSecond }) => (alone ? latency : perSecond),
        },
        settings,
      ),
    }),
  };
}

const modes: readonly Mode[] = ['simple', 'extended', 'prepared'];

export const selectOnlyRows: readonly Row<PostgresWorld>[] = [1, 8, 32].flatMap((clients) =>
  modes.map((mode) =>
    selectOnly(mode, clients, clients === 1 ? mode !== 'extended' : mode === 'simple' && clients === 8),
  ),
);
