import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { interleave } from '../load/interleave.ts';
import { psql } from '../load/psql.ts';
import { customers } from '../peers/database.ts';
import { readThrough } from './masked-pass.ts';
import { direct, type PostgresWorld, sluice } from './postgres-peers.ts';
import type { Row } from './row.ts';
import { compareTransactions } from './transactions.ts';

const select = 'SELECT id, name, email, phone, city FROM customers';
const copy = 'COPY customers TO STDOUT';

const selectAll: Row<PostgresWorld> = {
  id: 'million-rows',
  title: '1 M-row SELECT, 2 masked columns',
  what: `\`${select}\`, a million rows, once by pgbench: rows a second. Two of the five columns are masked by the gateway.`,
  unit: '/s',
  goal: { of: sluice, to: direct, at: 'least', bound: 0.9 },
  quick: true,
  measure: async (world, settings) => {
    const { digest } = await readThrough(world, select, 'cells');
    const script = join(world.scratch, 'million-rows.sql');
    await writeFile(script, `${select};\n`);
    const what = {
      row: 'million-rows',
      args: ['-f', script],
      clients: 1,
      statements: 1,
      transactions: 1,
      results: { tag: `SELECT ${customers}`, digest },
      sample: ({ latency }: { readonly latency: number }) => (customers / latency) * 1000,
    };
    return { figures: await compareTransactions(world, what, settings) };
  },
};

const copyOut: Row<PostgresWorld> = {
  id: 'million-rows-copy',
  title: '1 M-row COPY out, 2 masked columns',
  what: `\`${copy}\`, a million rows, by psql to \`/dev/null\`: rows a second by psql's own clock. Two of the five columns are masked by the gateway.`,
  unit: '/s',
  goal: { of: sluice, to: direct, at: 'least', bound: 0.9 },
  quick: true,
  measure: async (world, settings) => {
    const { digest } = await readThrough(world, copy, 'lines');
    const results = { tag: `COPY ${customers}`, digest };
    const contenders = world.peers.map(({ who, way }) => {
      const turn = async (): Promise<number> => {
        const application = world.application('million-rows-copy');
        const took = await psql(way, { statement: copy, output: '/dev/null', application });
        if (who === sluice) world.ledger.sent({ by: application, units: 1, results });
        return (customers / took) * 1000;
      };
      return { who, turn };
    });
    return { figures: await interleave(contenders, settings) };
  },
};

export const millionRowsRows: readonly Row<PostgresWorld>[] = [selectAll, copyOut];
