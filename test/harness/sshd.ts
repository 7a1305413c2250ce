/**
 * Servers for tests of SSH: the real OpenSSH one where it is installed, and a stand-in on `ssh2` that runs everywhere and
 * gives account of what it was told. Whoever starts one stops it.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { appendFile, chown, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { RealClient } from './clients.ts';
import { freePort } from './free-port.ts';
import { type ServerUser, serverUser } from './unprivileged.ts';

export interface TestSshd {
  readonly host: string;
  readonly port: number;
  /** The account; the test's own. */
  readonly user: string;
  /** What logs in there. */
  readonly privateKey: string;
  /** `ssh-ed25519 AAAA…` */
  readonly hostKey: string;
  /** All of its keys, by what `ssh-keygen -t` calls their types. */
  readonly hostKeys: ReadonlyMap<string, string>;
  readonly dir: string;
  /** Lets in who has the key, too: a line of `authorized_keys`. */
  authorize(line: string): Promise<void>;
  log(): Promise<string>;
  stop(): Promise<void>;
}

const program = '/usr/sbin/sshd';

/** OpenSSH's server, or why there is none here. */
export function findSshd(): RealClient {
  return existsSync(program) && existsSync('/usr/bin/ssh-keygen')
    ? { there: true, path: program, version: 'OpenSSH' }
    : { there: false, reason: `no ${program}` };
}

/** An SSH client program, or why there is none here. */
export function findSshProgram(name: 'ssh' | 'scp' | 'sftp' | 'rsync' | 'ssh-keygen'): RealClient {
  const path = `/usr/bin/${name}`;
  return existsSync(path) ? { there: true, path, version: name } : { there: false, reason: `no ${path}` };
}

/** A key pair made by OpenSSH itself; returns the private key's path. `more` are options of `ssh-keygen`. */
export function makeKey(
  dir: string,
  name: string,
  type = 'ed25519',
  { passphrase = '', more = [] }: { readonly passphrase?: string; readonly more?: readonly string[] } = {},
): string {
  const path = join(dir, name);
  execFileSync('/usr/bin/ssh-keygen', ['-q', '-t', type, '-N', passphrase, '-C', '', ...more, '-f', path]);
  return path;
}

/**
 * Runs, and lets in whoever has `privateKey`, as the test's own user; where that is root, as another one if there is one
 * with a shell, as sessions of root are served differently: they take no signals.
 */
export async function createTestSshd(
  options: { readonly terminals?: true; readonly moreHostKeys?: readonly string[] } = {},
): Promise<TestSshd> {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-test-sshd-'));
  const user = account(options.terminals === true);
  if (user) await chown(dir, user.uid, user.gid);
  const hostKey = makeKey(dir, 'host');
  const hostKeys = new Map([['ed25519', hostKey]]);
  for (const type of options.moreHostKeys ?? []) hostKeys.set(type, makeKey(dir, `host-${type}`, type));
  const userKey = makeKey(dir, 'user');
  const port = await freePort();
  const config = join(dir, 'sshd_config');
  await writeFile(
    config,
    [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      ...[...hostKeys.values()].map((path) => `HostKey ${path}`),
      `AuthorizedKeysFile ${userKey}.pub ${join(dir, 'authorized')}`,
      `PidFile ${join(dir, 'pid')}`,
      'StrictModes no',
      'UsePAM no',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'PermitRootLogin prohibit-password',
      'AcceptEnv LANG LC_*',
      'PrintMotd no',
      'MaxSessions 64',
      'MaxStartups 100',
      'Subsystem sftp internal-sftp',
      '',
    ].join('\n'),
  );
  const log = join(dir, 'log');
  if (user) for (const name of await readdir(dir)) await chown(join(dir, name), user.uid, user.gid);
  const as = user ? { uid: user.uid, gid: user.gid, cwd: dir } : {};
  const server = spawn(program, ['-D', '-f', config, '-E', log], { stdio: 'ignore', ...as });
  await untilListening(port, server, log);
  return {
    host: '127.0.0.1',
    port,
    user: user?.name ?? userInfo().username,
    privateKey: await readFile(userKey, 'utf8'),
    hostKey: (await readFile(`${hostKey}.pub`, 'utf8')).trim(),
    hostKeys: new Map([...hostKeys].map(([type, path]) => [type, readFileSync(`${path}.pub`, 'utf8').trim()])),
    dir,
    authorize: (line) => appendFile(join(dir, 'authorized'), `${line.trim()}\n`),
    log: () => readFile(log, 'utf8').catch(() => ''),
    stop: async () => {
      const ended = server.exitCode === null && server.signalCode === null ? once(server, 'exit') : undefined;
      server.kill('SIGTERM');
      await ended;
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** A server that is not root's own gives no terminals. */
function account(terminals: boolean): ServerUser | undefined {
  const other = serverUser();
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${other?.name}:`));
  if (other && !terminals && line && !/(nologin|false)$/.test(line)) return other;
  // Where the server, run as root, wants to put its unprivileged half.
  if (other) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  return undefined;
}

async function untilListening(port: number, server: ChildProcess, log: string): Promise<void> {
  for (;;) {
    if (server.exitCode !== null) throw new Error(`sshd ended: ${await readFile(log, 'utf8').catch(() => '')}`);
    const socket = connect({ host: '127.0.0.1', port });
    const open = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
