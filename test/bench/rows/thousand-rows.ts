import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readThrough } from './masked-pass.ts';
import { type PostgresWorld, pgbouncer, sluice } from './postgres-peers.ts';
import type { Row } from './row.ts';
import { compareTransactions } from './transactions.ts';

const statement = 'SELECT id, name, email, phone, city FROM customers WHERE id <= 1000';

function thousandRows(clients: number): Row<PostgresWorld> {
  const id = `thousand-rows-${clients}`;
  return {
    id,
    title: `1,000-row result, 2 masked columns, ${clients} client${clients === 1 ? '' : 's'}`,
    what: `\`${statement}\` by pgbench: results a second. Two of the five columns are masked by the gateway.`,
    unit: '/s',
    goal: { of: sluice, to: pgbouncer, at: 'least', bound: 1.3 },
    quick: clients > 1,
    measure: async (world, settings) => {
      const { digest } = await readThrough(world, statement, 'cells');
      const script = join(world.scratch, `${id}.sql`);
      await writeFile(script, `${statement};\n`);
      return {
        figures: await compareTransactions(
          world,
          {
            row: id,
            args: ['-f', script],
            clients,
            statements: 1,
            results: { tag: 'SELECT 1000', digest },
            sample: ({ perSecond }) => perSecond,
          },
          settings,
        ),
      };
    },
  };
}

export const thousandRowsRows: readonly Row<PostgresWorld>[] = [1, 4].map(thousandRows);
