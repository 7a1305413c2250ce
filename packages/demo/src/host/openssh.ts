import { execFile, spawn } from 'node:child_process';
import { access, chmod, constants, mkdir, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { give } from '../account/account.ts';
import { listenOnLoopback } from '../loopback.ts';
import { hostAddress, type Premises, pathOf, type Reachable } from './premises.ts';
import { tryLogin } from './probe.ts';

const run = promisify(execFile);

const places = ['/usr/sbin/sshd', '/usr/local/sbin/sshd', '/opt/homebrew/sbin/sshd', '/usr/bin/sshd'];
const fileServers = ['/usr/lib/openssh/sftp-server', '/usr/libexec/openssh/sftp-server', '/usr/libexec/sftp-server'];

/**
 * A real OpenSSH server, one process for each connection (`sshd -i`), so that nothing of it outlives the connection or
 * us. Resolves with a phrase for people when there is none, or none that lets the gateway in: its build or the machine
 * may want things that we can't give it, so that only a login tells.
 */
export async function startOpenSsh(
  premises: Premises,
  candidates: readonly string[] = places,
): Promise<Reachable | string> {
  const program = await firstThatRuns(candidates);
  if (program === undefined) return 'no OpenSSH server is installed here';
  try {
    const config = await writeConfiguration(premises);
    // As root it insists on this folder, which the system's own service makes when it starts.
    if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
    await run(program, ['-t', '-f', config]);
    const reachable = await listen(program, config);
    try {
      const said = await tryLogin({ host: hostAddress, ...reachable }, premises.keys, 'pwd');
      if (!said.endsWith('\n')) throw new Error('it runs no commands');
    } catch (error) {
      await reachable.stop();
      throw error;
    }
    return reachable;
  } catch (error) {
    return `the OpenSSH server here can't be used (${reason(error)})`;
  }
}

async function writeConfiguration(premises: Premises): Promise<string> {
  const { dir, keys } = premises;
  const config = join(dir, 'sshd_config');
  const authorized = join(dir, 'authorized_keys');
  const entrance = await writeEntrance(premises);
  await writeFile(authorized, `${keys.clientPublicKey}\n`, { mode: 0o600 });
  const fileServer = await firstThatRuns(fileServers);
  const lines = [
    '# Written by the Sluice demo at every start.',
    `HostKey ${quoted(keys.hostKeyFile)}`,
    `AuthorizedKeysFile ${quoted(authorized)}`,
    'AuthenticationMethods publickey',
    'PermitRootLogin prohibit-password',
    'UsePAM no',
    // The folders above ours are the machine's; the key is readable by us alone.
    'StrictModes no',
    'PidFile none',
    'PrintMotd no',
    'AllowAgentForwarding no',
    'X11Forwarding no',
    'PermitTunnel no',
    'AllowTcpForwarding no',
    ...(fileServer === undefined ? [] : [`Subsystem sftp ${fileServer}`]),
    `ForceCommand ${shellQuoted(entrance)}`,
    '',
  ];
  await writeFile(config, lines.join('\n'), { mode: 0o600 });
  return config;
}

/** What runs in place of whatever was asked for: it goes to the host's folder, as the host's account, and does it there. */
async function writeEntrance({ folder, account }: Premises): Promise<string> {
  const { uid, gid } = account.ids;
  const demote = uid === undefined ? '' : `setpriv --reuid=${uid} --regid=${gid} --clear-groups -- `;
  const file = join(folder, '.enter');
  const home = shellQuoted(folder);
  const script = [
    '#!/bin/sh',
    `cd ${home} || exit 1`,
    `HOME=${home} PATH=${shellQuoted(pathOf(folder))} USER=${shellQuoted(account.name)}`,
    'export HOME PATH USER',
    `if [ -n "$SSH_ORIGINAL_COMMAND" ]; then exec ${demote}/bin/sh -c "$SSH_ORIGINAL_COMMAND"; fi`,
    `exec ${demote}/bin/sh`,
    '',
  ];
  await writeFile(file, script.join('\n'));
  await chmod(file, 0o755);
  await give(account, file);
  return file;
}

async function listen(program: string, config: string): Promise<Reachable> {
  const children = new Set<ReturnType<typeof spawn>>();
  const server: Server = createServer({ pauseOnConnect: true, noDelay: true }, (socket: Socket) => {
    // The socket becomes the child's standard input and output; ours is closed, theirs lives on.
    const child = spawn(program, ['-i', '-e', '-f', config], { stdio: [socket, socket, 'ignore'], env: {} });
    children.add(child);
    child.on('error', () => socket.destroy());
    child.on('spawn', () => socket.destroy());
    child.on('close', () => children.delete(child));
  });
  const port = await listenOnLoopback(server);
  return {
    port,
    user: userInfo().username,
    async stop() {
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.all(
        [...children].map(
          (child) =>
            new Promise<void>((resolve) => {
              child.once('close', () => resolve());
              child.kill('SIGTERM');
            }),
        ),
      );
    },
  };
}

async function firstThatRuns(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const there = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (there) return path;
  }
  return undefined;
}

/** For sshd_config, whose double quotes know no escapes; a path that has one is refused by sshd itself. */
function quoted(path: string): string {
  return `"${path}"`;
}

function shellQuoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

function reason(error: unknown): string {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
  const text = said !== '' ? said : error instanceof Error ? error.message : String(error);
  return text.split('\n').at(-1) ?? text;
}
