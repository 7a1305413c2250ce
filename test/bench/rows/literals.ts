import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { interleave } from '../load/interleave.ts';
import { direct, type PostgresWorld, sluice } from './postgres-peers.ts';
import type { Row } from './row.ts';
import { turn } from './transactions.ts';

const repeated = 'Sluice, repeated';

const scripts = {
  new: '\\set aid random(1, 1000000)\nSELECT abalance FROM pgbench_accounts WHERE aid = :aid;\n',
  // The same work for pgbench and for the server: the draw is made, and the rows are in memory either way.
  repeated: '\\set aid random(1, 1000000)\nSELECT abalance FROM pgbench_accounts WHERE aid = 4711;\n',
};

export const literals: Row<PostgresWorld> = {
  id: 'new-literals',
  title: 'statements with new literals beside repeated ones, 1 client',
  what:
    'One row by its key, with a new literal in the text each time, and with the same text each time (simple protocol): ' +
    'milliseconds of a transaction.',
  unit: 'ms',
  goal: { of: sluice, to: repeated, at: 'most', bound: 1.15 },
  quick: true,
  measure: async (world, settings) => {
    const contenders = world.peers
      .filter(({ who }) => who === direct || who === sluice)
      .flatMap((peer) =>
        (['new', 'repeated'] as const).map((kind) => {
          const script = join(world.scratch, `${kind}-literals.sql`);
          const what = { row: `${kind}-literals`, args: ['-f', script], clients: 1, statements: 1 };
          return {
            who: kind === 'new' ? peer.who : `${peer.who}, repeated`,
            warmUp: async () => {
              await writeFile(script, scripts[kind]);
              await turn(world, what, peer, { transactions: settings.quick ? 200 : 4_000 });
            },
            turn: async () => (await turn(world, what, peer, { seconds: settings.seconds })).latency,
          };
        }),
      );
    return { figures: await interleave(contenders, settings) };
  },
};
