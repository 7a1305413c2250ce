/**
 * The demo's own PostgreSQL: a real server from an npm package, on loopback, kept in the demo's data directory and
 * filled once with the example shop. It is not the gateway's store and nothing a deployment would use: the gateway
 * reaches it over a socket like any other target.
 */
import { rmSync } from 'node:fs';
import { chmod, lstat, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { type Account, targetAccount } from '../account/account.ts';
import { homeFor, makeHome } from '../account/home.ts';
import { keptSecret } from '../kept-secret.ts';
import { seed } from '../seed/seed.ts';
import { findBinaries } from './binaries.ts';
import { type Cluster, clusterExists, createCluster, type StartedCluster, startCluster } from './cluster.ts';
import { freePort, isFree } from './port.ts';

export interface DatabaseOptions {
  /** Folder for everything that must survive a restart; created when absent. */
  readonly dir: string;
  /** Called with one line of progress. */
  readonly tell?: (line: string) => void;
}

export interface RunningDatabase {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** What the gateway logs in with: rights on the shop's data, none on roles or the server. */
  readonly gatewayUser: string;
  /** File with the gateway's password, mode 0600. */
  readonly gatewayPasswordFile: string;
  /** The server's own log, with every statement that reached it. */
  readonly logFile: string;
  /** For checks from outside the gateway, as the superuser; the caller ends it. */
  connectDirectly(): Promise<pg.Client>;
  stop(): Promise<void>;
  /** Stops and removes the cluster, wherever it lies. */
  remove(): Promise<void>;
  /** The same at once, for the exit of the process. */
  removeNow(): void;
}

const host = '127.0.0.1';
const database = 'shop';
const gatewayUser = 'sluice_gateway';

/** A port that was free can be taken by another program before the server has it; then another one is tried. */
async function startOnFreePort(cluster: Cluster): Promise<{ readonly port: number; readonly server: StartedCluster }> {
  for (let left = 3; ; left--) {
    const port = await freePort(host);
    try {
      return { port, server: await startCluster(cluster, port) };
    } catch (error) {
      if (left === 1 || (await isFree(host, port))) throw error;
    }
  }
}

/** Starts the server; the first time, creates and fills it. Safe to call again after any kind of death. */
export async function startDatabase(options: DatabaseOptions): Promise<RunningDatabase> {
  const tell = options.tell ?? (() => undefined);
  const account = await targetAccount();
  await mkdir(options.dir, { recursive: true });
  // The server's account must be able to pass through; the files inside have their own modes.
  await chmod(options.dir, account.ids.uid === undefined ? 0o700 : 0o711);
  const home = await homeFor(account, options.dir, 'server');
  const binaries = await findBinaries(account, () => binariesHome(account, home));
  const cluster: Cluster = { account, binaries, home };
  const superuserPassword = await keptSecret(join(options.dir, 'superuser-password'));
  const gatewayPasswordFile = join(options.dir, 'gateway-password');
  const gatewayPassword = await keptSecret(gatewayPasswordFile);

  const filled = join(options.dir, 'filled');
  const usable = (await clusterExists(cluster)) && (await isFile(filled));
  if (!usable) {
    tell('creating the PostgreSQL cluster …');
    await rm(filled, { force: true });
    await createCluster(cluster, superuserPassword);
  }
  const { port, server } = await startOnFreePort(cluster);
  const connectTo = async (name: string): Promise<pg.Client> => {
    const client = new pg.Client({
      host,
      port,
      user: 'postgres',
      password: superuserPassword,
      database: name,
      ssl: false,
    });
    // A server that goes away between two queries must not end the process; the next query reports it.
    client.on('error', () => undefined);
    await client.connect();
    return client;
  };
  try {
    if (!usable) {
      tell('filling it with the example shop …');
      await fill(connectTo, gatewayPassword);
      // Written last: a demo killed half-way starts over instead of serving half a shop.
      await writeFile(filled, `${new Date().toISOString()}\n`);
    }
  } catch (error) {
    await server.stop();
    throw error;
  }
  return {
    host,
    port,
    database,
    gatewayUser,
    gatewayPasswordFile,
    logFile: server.logFile,
    connectDirectly: () => connectTo(database),
    stop: () => server.stop(),
    async remove() {
      await server.stop();
      await rm(home, { recursive: true, force: true });
    },
    removeNow() {
      server.stopNow();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

async function fill(connectTo: (name: string) => Promise<pg.Client>, gatewayPassword: string): Promise<void> {
  const maintenance = await connectTo('postgres');
  try {
    await maintenance.query(
      `CREATE ROLE ${gatewayUser} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD ${pg.escapeLiteral(gatewayPassword)}`,
    );
    await maintenance.query(`CREATE DATABASE ${database}`);
    await maintenance.query(`REVOKE ALL ON DATABASE ${database} FROM PUBLIC`);
    await maintenance.query(`GRANT CONNECT, CREATE, TEMPORARY ON DATABASE ${database} TO ${gatewayUser}`);
  } finally {
    await maintenance.end();
  }
  const shop = await connectTo(database);
  try {
    await seed(shop, gatewayUser);
  } finally {
    await shop.end();
  }
}

async function binariesHome(account: Account, home: string): Promise<string> {
  const folder = join(home, 'binaries');
  await makeHome(account, folder);
  return folder;
}

async function isFile(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isFile() ?? false;
}
