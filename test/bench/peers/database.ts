/**
 * The servers that are compared: the target itself, the peers in front of it, and the gateway, each a process of its own
 * on loopback, with the data, configuration and policies that they are measured with. They are started and ended here;
 * what is sent to them is not known here.
 */
import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Client } from 'pg';
import { findPgbench } from '../../harness/clients.ts';
import { createTestPostgres, type TestPostgres } from '../../harness/postgres.ts';
import { runProgram } from '../../harness/run-program.ts';
import { environmentOf, type Way } from '../load/pgbench.ts';

export interface Database {
  readonly server: TestPostgres;
  /** Straight to it, without TLS. */
  readonly way: Way;
  /** With TLS: path of the authority of its certificate. */
  readonly ca: string;
  /** What the server keeps of the account's password. */
  readonly scramSecret: string;
  readonly version: string;
  /** Path of pgbench. */
  readonly pgbench: string;
}

export const customers = 1_000_000;
export const account = 'app';
export const databaseName = 'shop';
const scale = 10;

/**
 * Nothing of the server's own that would make rounds differ: no waiting for the disk, which would hide what stands in
 * front of it, no parallel plans, no scans that start in the middle of a table, no vacuum in between.
 */
const settings = {
  shared_buffers: '512MB',
  max_connections: '1300',
  autovacuum: 'off',
  max_parallel_workers_per_gather: '0',
  synchronize_seqscans: 'off',
  jit: 'off',
  max_wal_size: '8GB',
};

const schema = `
CREATE TABLE customers (id int PRIMARY KEY, name text NOT NULL, email text NOT NULL, phone text NOT NULL, city text NOT NULL);
INSERT INTO customers
SELECT n, 'Customer ' || n, 'customer.' || n || '@example.com', '+49 30 ' || 1000000 + n, 'City ' || n % 400
FROM generate_series(1, ${customers}) n;
VACUUM (FREEZE, ANALYZE) customers;
`;

/** PostgreSQL with pgbench's tables and a table of a million customers. */
export async function startDatabase(progress: (text: string) => void): Promise<Database> {
  const pgbench = findPgbench();
  if (!pgbench.there) throw new Error(pgbench.reason);
  progress('PostgreSQL is started');
  const server = await createTestPostgres({ tls: true, settings });
  try {
    const password = `pw-${crypto.randomUUID()}`;
    await server.sql(`CREATE ROLE ${account} LOGIN PASSWORD '${password}'`);
    await server.sql(`CREATE DATABASE ${databaseName} OWNER ${account}`);
    const way = { host: server.host, port: server.port, user: account, password, database: databaseName };
    progress(`PostgreSQL is filled: pgbench of scale ${scale}, a million customers`);
    const filled = await runProgram(pgbench.path, ['-i', '-q', '-s', String(scale)], { env: environmentOf(way) });
    if (filled.code !== 0) throw new Error(`pgbench -i ended with ${filled.code}: ${filled.stderr}`);
    await query(way, schema);
    const [secret] = await server.sql<{ rolpassword: string }>(
      `SELECT rolpassword FROM pg_authid WHERE rolname = '${account}'`,
    );
    const [version] = await server.sql<{ server_version: string }>('SHOW server_version');
    const ca = join(dirname(server.logFile), 'ca.crt');
    await writeFile(ca, server.ca?.cert ?? '');
    return {
      server,
      way,
      ca,
      scramSecret: secret?.rolpassword ?? '',
      version: version?.server_version ?? 'unknown',
      pgbench: pgbench.path,
    };
  } catch (error) {
    await server.stop('immediate');
    throw error;
  }
}

/** Each statement by itself: some of them may not stand in a transaction. */
async function query(way: Way, text: string): Promise<void> {
  const client = new Client({ ...way, ssl: false });
  await client.connect();
  try {
    for (const statement of text.split(';\n').filter((each) => each.trim() !== '')) await client.query(statement);
  } finally {
    await client.end();
  }
}
