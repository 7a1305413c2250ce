import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import { readFile, readlink, realpath, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Account, give } from '../account/account.ts';
import type { Binaries } from './binaries.ts';

const run = promisify(execFile);

/** One PostgreSQL data directory and the server on it. */
export interface Cluster {
  readonly account: Account;
  readonly binaries: Binaries;
  /** Folder that belongs to the account and holds everything of the cluster. */
  readonly home: string;
}

export interface StartedCluster {
  readonly logFile: string;
  /** Safe to call twice. */
  stop(): Promise<void>;
  /** For the exit of the process, when nothing can be awaited any more. */
  stopNow(): void;
}

const superuser = 'postgres';

/** Nothing of our own environment: PGDATA, PGPORT, LD_LIBRARY_PATH and the like would change what runs. */
const bare = { LC_ALL: 'C', PATH: '/usr/local/bin:/usr/bin:/bin' };

/** Creates the data directory with a superuser that logs in with `password`; nothing without a password gets in. */
export async function createCluster(cluster: Cluster, password: string): Promise<void> {
  await stopLeftover(cluster);
  const passwordFile = join(cluster.home, 'initial-password');
  await rm(dataOf(cluster), { recursive: true, force: true });
  await writeFile(passwordFile, password, { mode: 0o600 });
  await give(cluster.account, passwordFile);
  try {
    await control(cluster, cluster.binaries.initdb, [
      `--pgdata=${dataOf(cluster)}`,
      `--username=${superuser}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      // The built-in provider behaves the same on every machine, whatever locales are installed.
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--no-sync',
      '--no-instructions',
    ]);
  } finally {
    await rm(passwordFile, { force: true });
  }
}

export async function clusterExists(cluster: Cluster): Promise<boolean> {
  return (await firstLine(join(dataOf(cluster), 'PG_VERSION'))) !== undefined;
}

/** Starts the server on loopback. Rejects with the end of the server's log when it does not come up. */
export async function startCluster(cluster: Cluster, port: number): Promise<StartedCluster> {
  await stopLeftover(cluster);
  const logFile = join(cluster.home, 'server.log');
  await writeFile(join(dataOf(cluster), 'postgresql.auto.conf'), settings(port));
  await give(cluster.account, join(dataOf(cluster), 'postgresql.auto.conf'));
  try {
    await control(cluster, cluster.binaries.control, ['start', '-D', dataOf(cluster), '-l', logFile, '-w', '-t', '60']);
  } catch (cause) {
    const tail = (await readFile(logFile, 'utf8').catch(() => '')).trimEnd().split('\n').slice(-5).join('\n  ');
    throw new Error(`The demo's PostgreSQL did not start. Its log (${logFile}) ends with:\n  ${tail}`, { cause });
  }
  const guard = stopWhenWeDie(cluster);
  let stopped: Promise<void> | undefined;
  return {
    logFile,
    stop() {
      guard.kill('SIGKILL');
      stopped ??= stopServer(cluster);
      return stopped;
    },
    stopNow() {
      guard.kill('SIGKILL');
      spawnSync(cluster.binaries.control, ['stop', '-D', dataOf(cluster), '-m', 'immediate', '-w'], {
        ...cluster.account.ids,
        cwd: cluster.home,
        env: bare,
        stdio: 'ignore',
      });
    },
  };
}

/** Written whole at every start, so that a change here reaches clusters that already exist. */
function settings(port: number): string {
  return [
    '# Written by the Sluice demo at every start.',
    "listen_addresses = '127.0.0.1'",
    `port = ${port}`,
    "unix_socket_directories = ''",
    'max_connections = 100',
    "password_encryption = 'scram-sha-256'",
    "timezone = 'UTC'",
    "lc_messages = 'C'",
    "log_timezone = 'UTC'",
    // The tour proves from this log what did and did not reach the server.
    "log_statement = 'all'",
    "log_line_prefix = '%m [%p] %u@%d '",
    '',
  ].join('\n');
}

async function stopServer(cluster: Cluster): Promise<void> {
  await control(cluster, cluster.binaries.control, ['stop', '-D', dataOf(cluster), '-m', 'fast', '-w', '-t', '30']);
}

/** A demo that was killed may have left its server running, or only the file that says so. */
async function stopLeftover(cluster: Cluster): Promise<void> {
  const pidFile = join(dataOf(cluster), 'postmaster.pid');
  const pid = Number.parseInt((await firstLine(pidFile)) ?? '', 10);
  if (!Number.isInteger(pid) || pid <= 1) return;
  if (await servesThis(cluster, pid)) {
    await stopServer(cluster).catch(async (error) => {
      // It may have been on its way out: the file goes first, the process soon after.
      for (let left = 300; await servesThis(cluster, pid); left--) {
        if (left === 0) throw error;
        await pause(100);
      }
    });
  }
  // The number may meanwhile belong to an unrelated process, which PostgreSQL would take for a running server.
  await rm(pidFile, { force: true });
}

/** Whether that process is a server on our data directory: a postmaster works inside its data directory. */
async function servesThis(cluster: Cluster, pid: number): Promise<boolean> {
  // There is a pid file in it, so the folder exists.
  const data = await realpath(dataOf(cluster));
  if (process.platform === 'linux') {
    const folder = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
    return folder === data;
  }
  const { stdout } = await run('ps', ['-p', String(pid), '-o', 'args=']).catch(() => ({ stdout: '' }));
  return stdout.includes('postgres') && (stdout.includes(data) || stdout.includes(dataOf(cluster)));
}

/**
 * Holds one end of a pipe whose other end is ours: when this process is gone, however it went, the pipe closes and
 * the server is stopped.
 */
function stopWhenWeDie(cluster: Cluster): ChildProcess {
  const script = 'cat >/dev/null; exec "$0" stop -D "$1" -m fast -W';
  const guard = spawn('sh', ['-c', script, cluster.binaries.control, dataOf(cluster)], {
    ...cluster.account.ids,
    cwd: cluster.home,
    env: bare,
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  // Without a guard the next start still cleans up.
  guard.on('error', () => undefined);
  guard.stdin?.on('error', () => undefined);
  guard.unref();
  return guard;
}

function dataOf(cluster: Cluster): string {
  return join(cluster.home, 'data');
}

async function control(cluster: Cluster, program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, {
    ...cluster.account.ids,
    cwd: cluster.home,
    env: bare,
    // Not a pipe for output: the server inherits it and would keep it open.
    stdio: ['ignore', 'ignore', 'pipe'],
    // Ctrl-C in a terminal goes to the whole process group; the server must outlive it until we stop it in order.
    detached: true,
  });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-4000);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', (cause) => {
      // The file is there, so what is missing is the loader that it names.
      const why = 'it is built for Linux with glibc, macOS or Windows, and does not run on musl (Alpine)';
      reject(new Error(`PostgreSQL can't be started here (${cause.message}): ${why}.`, { cause }));
    });
    child.on('close', resolve);
  });
  child.stderr.destroy();
  if (code !== 0) throw new Error(`${program} ${args[0] ?? ''} failed (exit ${code}): ${complaint.trim()}`);
}

async function firstLine(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, 'utf8')).split('\n', 1)[0];
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
