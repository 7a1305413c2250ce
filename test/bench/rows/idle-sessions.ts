import { join } from 'node:path';
import { openIdleSessions } from '../load/idle-sessions.ts';
import { interleave } from '../load/interleave.ts';
import { takeLatencies } from '../load/latencies.ts';
import type { Load } from '../load/pgbench.ts';
import { median, quantile, spread } from '../report/figure.ts';
import type { Settings } from '../settings.ts';
import { type Peer, type PostgresWorld, sluice } from './postgres-peers.ts';
import { untilOver } from './postgres-world.ts';
import type { Row } from './row.ts';
import { turn } from './transactions.ts';

const idle = 1000;
const busy = 32;
const alone = 'Sluice, busy ones alone';
/** What rounds differ by at the very least, however even they were. */
const leastNoise = 1.05;

export const idleSessions: Row<PostgresWorld> = {
  id: 'idle-sessions',
  title: `p99 of ${busy} busy sessions beside ${idle.toLocaleString('en-US')} idle ones`,
  what:
    `\`pgbench -S -c ${busy}\` through the gateway, with ${idle} more sessions open that do nothing, and without: the ` +
    'p99 of a transaction in milliseconds. The goal is what the rounds without them differ by among themselves ' +
    `(greatest to median, ${leastNoise} at least).`,
  unit: 'ms',
  goal: { of: sluice, to: alone, at: 'most', bound: leastNoise },
  quick: false,
  measure: async (world, settings) => {
    const peer = world.peers.find(({ who }) => who === sluice);
    if (!peer) return { skipped: 'there is no gateway' };
    // Counted, not timed: beside a thousand others, connecting may take all the time there is.
    const length = { transactions: settings.seconds * 200 };
    const figures = await interleave(
      [
        { who: alone, warmUp: () => p99(world, peer, { transactions: 50 }), turn: () => p99(world, peer, length) },
        { who: sluice, turn: () => p99BesideIdle(world, peer, length, settings) },
      ],
      settings,
    );
    const without = figures[0]?.samples ?? [];
    const noise = spread(without)[1] / median(without);
    return {
      figures,
      goal: { of: sluice, to: alone, at: 'most', bound: Math.max(leastNoise, noise) },
      notes: [`rounds without idle sessions differ by ${((noise - 1) * 100).toFixed(0)} %`],
    };
  },
};

async function p99BesideIdle(
  world: PostgresWorld,
  peer: Peer,
  length: Load['length'],
  { progress }: Settings,
): Promise<number> {
  const application = world.application('idle');
  const sessions = await openIdleSessions(peer.way, idle, application);
  world.ledger.sent({ by: application, units: 0 });
  try {
    progress(`${idle} sessions are open`);
    return await p99(world, peer, length);
  } finally {
    await sessions.close();
    // The next round without them is one without their endings as well.
    await untilOver(world.gateway);
  }
}

async function p99(world: PostgresWorld, peer: Peer, length: Load['length']): Promise<number> {
  const args = ['-S', '-l', `--log-prefix=${join(world.scratch, 'latency')}`];
  await turn(world, { row: 'busy', args, clients: busy, statements: 1 }, peer, length);
  return quantile(await takeLatencies(world.scratch, 'latency'), 0.99);
}
