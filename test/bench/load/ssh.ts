import { existsSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type RunningProgram, runProgram, startProgram } from '../../harness/run-program.ts';

/** How OpenSSH's clients get to a host. */
export interface SshWay {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Path of the private key; beside it its certificate, if there is one. */
  readonly key: string;
  /** Lines of `known_hosts`, without the host. */
  readonly hostKeys: readonly string[];
}

/** A client that keeps a connection open, so that what goes over it needs no login. */
export interface SshConnection {
  /** Milliseconds for running it. */
  exec(command: string): Promise<number>;
  /** Milliseconds for copying; one of both begins with `:` and lies at the other end. */
  copy(from: string, to: string): Promise<number>;
  close(): Promise<void>;
}

/** The same client with a new connection: milliseconds from its start to its end. */
export async function execOnce(way: SshWay, folder: string, command: string): Promise<number> {
  const options = await optionsOf(way, folder);
  return timed('/usr/bin/ssh', [...options, '-p', String(way.port), destination(way), command]);
}

export async function openConnection(way: SshWay, folder: string, name: string): Promise<SshConnection> {
  const path = join(folder, `${name}.sock`);
  const options = [...(await optionsOf(way, folder)), '-o', `ControlPath=${path}`];
  const port = String(way.port);
  const master = startProgram('/usr/bin/ssh', ['-M', '-N', ...options, '-p', port, destination(way)]);
  await untilThere(path, master);
  const full = (place: string): string => (place.startsWith(':') ? `${destination(way)}${place}` : place);
  return {
    exec: (command) => timed('/usr/bin/ssh', [...options, '-p', port, destination(way), command]),
    copy: (from, to) => timed('/usr/bin/scp', ['-q', ...options, '-P', port, full(from), full(to)]),
    close: async () => {
      await runProgram('/usr/bin/ssh', [...options, '-p', port, '-O', 'exit', destination(way)]);
      await master.ended;
    },
  };
}

function destination({ user, host }: SshWay): string {
  return `${user}@${host}`;
}

async function optionsOf({ host, port, key, hostKeys }: SshWay, folder: string): Promise<string[]> {
  const known = join(folder, `known_hosts_${port}`);
  if (!existsSync(known)) await writeFile(known, hostKeys.map((line) => `[${host}]:${port} ${line}\n`).join(''));
  await chmod(key, 0o600);
  const options = {
    IdentityFile: key,
    IdentitiesOnly: 'yes',
    UserKnownHostsFile: known,
    GlobalKnownHostsFile: '/dev/null',
    StrictHostKeyChecking: 'yes',
    BatchMode: 'yes',
  };
  // Nothing of the settings of whoever runs this.
  return ['-F', 'none', ...Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`])];
}

async function timed(program: string, args: readonly string[]): Promise<number> {
  const started = performance.now();
  const { code, stderr } = await runProgram(program, args);
  const took = performance.now() - started;
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${stderr.slice(-2000)}`);
  return took;
}

async function untilThere(path: string, program: RunningProgram): Promise<void> {
  let over: string | undefined;
  void program.ended.then(({ stderr }) => {
    over = stderr;
  });
  while (!existsSync(path)) {
    if (over !== undefined) throw new Error(`ssh ended before it was connected: ${over}`);
    await pause(10);
  }
}
