import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { median, slope } from '../report/figure.ts';
import { withGateway } from './another-gateway.ts';
import { type PostgresWorld, sluice } from './postgres-peers.ts';
import { gatewayOptions, throughGateway } from './postgres-world.ts';
import { residentMemory } from './resident-memory.ts';
import type { Row } from './row.ts';
import { turn } from './transactions.ts';

/** What is new each time, what is masked, and what is written: whatever could be kept by mistake passes by. */
const script = `\\set aid random(1, 1000000)
\\set from random(1, 900000)
SELECT abalance FROM pgbench_accounts WHERE aid = :aid;
SELECT id, name, email, phone, city FROM customers WHERE id BETWEEN :from AND :from + 20;
UPDATE pgbench_accounts SET abalance = abalance + 1 WHERE aid = :aid;
`;

/** The growth that goes for none: what a collector of garbage leaves lying about. */
const flat = 5;
const every = 1000;

export const soak: Row<PostgresWorld> = {
  id: 'soak',
  title: 'memory under load for minutes',
  what:
    'Ten minutes (`--soak` says otherwise) of 300 transactions a second over 8 sessions, each with new literals, masked ' +
    'rows and a write, and of five logins a second beside them. The growth of the resident memory over the second half ' +
    '(the line that fits best), carried on for ten minutes, as a share of its median.',
  unit: '%',
  goal: { of: sluice, at: 'most', bound: flat },
  quick: false,
  long: true,
  // A gateway of its own: what an earlier row left behind would go meanwhile, and hide what grows.
  measure: (world, settings) =>
    withGateway(gatewayOptions(world.database, settings.cpuProfile), async (gateway, ledger) => {
      const own = { ...world, ledger };
      const peer = await throughGateway(gateway);
      const file = join(world.scratch, 'soak.sql');
      await writeFile(file, script);
      const length = { seconds: settings.soakMinutes * 60 };
      const load = Promise.all([
        turn(own, { row: 'soak', args: ['-f', file, '-R', '300'], clients: 8, statements: 3 }, peer, length),
        turn(own, { row: 'soak', args: ['-S', '-C', '-R', '5'], clients: 1, statements: 1 }, peer, length),
      ]);
      const points = await watch(gateway.pid, load, (text) => settings.progress(text));
      await load;
      const half = points.slice(Math.floor(points.length / 2));
      const middle = median(half.map(([, kib]) => kib));
      const growth = (slope(half) * 10 * 60 * 100) / middle;
      const told = [points[0], points[Math.floor(points.length / 2)], points.at(-1)];
      return {
        figures: [{ who: sluice, samples: [Math.max(growth, 0)] }],
        notes: [
          `${told.map((point) => ((point?.[1] ?? 0) / 1024).toFixed(0)).join(', ')} MiB at the start, half way, at the end`,
          `${growth.toFixed(1)} % in ten minutes over the second half`,
        ],
      };
    }),
};

/** Seconds and KiB, until the load is over. */
async function watch(
  pid: number,
  load: Promise<unknown>,
  progress: (text: string) => void,
): Promise<readonly (readonly [number, number])[]> {
  const points: [number, number][] = [];
  let over = false;
  const end = (): void => {
    over = true;
  };
  load.then(end, end);
  const started = Date.now();
  while (!over) {
    const kib = await residentMemory(pid);
    const seconds = (Date.now() - started) / 1000;
    points.push([seconds, kib]);
    if (points.length % 10 === 1) progress(`${seconds.toFixed(0)} s: ${(kib / 1024).toFixed(0)} MiB`);
    await Promise.race([pause(every), load.catch(() => {})]);
  }
  return points;
}
