import { setTimeout as pause } from 'node:timers/promises';
import { findPgbench, findPsql } from '../../harness/clients.ts';
import { Ledger } from '../check/ledger.ts';
import { SealedRecordings } from '../check/sealed.ts';
import { type Database, databaseName, startDatabase } from '../peers/database.ts';
import { type BenchGateway, type GatewayOptions, startBenchGateway } from '../peers/gateway.ts';
import { scratchFolder } from '../peers/left-behind.ts';
import { type PgBouncer, startPgBouncer } from '../peers/pgbouncer.ts';
import type { Settings } from '../settings.ts';
import { direct, type Peer, type PostgresWorld, pgbouncer, sluice } from './postgres-peers.ts';
import type { Skipped } from './row.ts';
import { turn } from './transactions.ts';

export async function openPostgresWorld(settings: Settings): Promise<PostgresWorld | Skipped> {
  for (const program of [findPgbench(), findPsql()]) {
    if (!program.there) return { skipped: program.reason };
  }
  const database = await startDatabase(settings.progress);
  const home = await scratchFolder('files');
  const scratch = home.path;
  let bouncer: PgBouncer | undefined;
  try {
    const started = await startPgBouncer(database);
    if ('skipped' in started) settings.progress(`PgBouncer is left out: ${started.skipped}`);
    else bouncer = started;
    settings.progress('the gateway is started');
    const gateway = await startBenchGateway(gatewayOptions(database, settings.cpuProfile));
    const ledger = new Ledger();
    const recordings = new SealedRecordings(gateway.dataDir, ledger);
    let count = 0;
    const world: PostgresWorld = {
      database,
      gateway,
      ledger,
      scratch,
      peers: [
        { who: direct, way: database.way, ca: database.ca },
        ...(bouncer ? [{ who: pgbouncer, way: bouncer.way, ca: bouncer.ca }] : []),
        await throughGateway(gateway),
      ],
      application: (row) => `${row} ${++count}`,
      check: async () => {
        await untilOver(gateway);
        return [...(await recordings.take()), ...ledger.settle()];
      },
      recorded: () => ledger.total,
      close: async () => {
        await gateway.stop();
        const faults = [...(await recordings.take()), ...ledger.settle(), ...(await recordings.close())];
        await bouncer?.stop();
        await database.server.stop('immediate');
        await gateway.remove();
        await home.remove();
        return faults;
      },
    };
    settings.progress('the gateway is warmed up');
    await warmUp(world, settings);
    return world;
  } catch (error) {
    await bouncer?.stop();
    await database.server.stop('immediate');
    await home.remove();
    throw error;
  }
}

/** Everything that every row needs is compiled before the first of them. */
async function warmUp(world: PostgresWorld, settings: Settings): Promise<void> {
  const peer = world.peers.find(({ who }) => who === sluice);
  if (!peer) return;
  for (const mode of ['simple', 'prepared']) {
    const what = { row: 'warm-up', args: ['-S', '-M', mode], clients: 4, statements: 1 };
    await turn(world, what, peer, { transactions: settings.quick ? 500 : 5_000 });
  }
}

/** A gateway in front of the database as it is measured: policies, two masked columns, recording. */
export function gatewayOptions(
  database: Database,
  cpuProfile?: string,
  more: Readonly<Record<string, unknown>> = {},
): GatewayOptions {
  return {
    listen: ['postgres'],
    targets: [
      {
        name: databaseName,
        connector: 'postgres',
        address: `${database.way.host}:${database.way.port}`,
        database: databaseName,
        tls: 'disable',
        credential: { username: database.way.user, password: 'file:password' },
        tags: ['env=bench'],
      },
    ],
    masking: {
      labels: {
        'pii.email': [`${databaseName}.public.customers.email`],
        'pii.phone': [`${databaseName}.public.customers.phone`],
      },
    },
    files: { password: database.way.password },
    more,
    ...(cpuProfile === undefined ? {} : { cpuProfile }),
  };
}

/** With an access credential, as a client has one that cannot send tokens. */
export async function throughGateway(gateway: BenchGateway): Promise<Peer> {
  const { id, secret } = await gateway.issue(databaseName);
  return {
    who: sluice,
    way: { ...gateway.at('postgres'), user: id, password: secret, database: databaseName },
    ca: gateway.ca,
  };
}

/** Until every session is over and its recording sealed. */
export async function untilOver(gateway: BenchGateway): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (await gateway.busy()) {
    if (Date.now() > deadline) throw new Error('sessions of the gateway do not end');
    await pause(20);
  }
}
