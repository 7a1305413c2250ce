import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { atExit } from './left-behind.ts';

/** A server in a process of its own. */
export interface ServerProgram {
  readonly pid: number;
  /** Its first line on standard output; rejects with the end of its log when it ends without one. */
  firstLine(): Promise<string>;
  /** Resolves once it takes connections; rejects like `firstLine`. */
  listening(port: number): Promise<void>;
  /** Asks it to end (SIGTERM), and rejects when it does not end with 0. */
  stop(): Promise<void>;
  kill(): Promise<void>;
}

export interface ServerProgramOptions {
  readonly cwd: string;
  /** Where its standard error goes. */
  readonly log: string;
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
}

export function startServerProgram(
  path: string,
  args: readonly string[],
  { cwd, log, user }: ServerProgramOptions,
): ServerProgram {
  const errors = openSync(log, 'a', 0o600);
  const child: ChildProcess = spawn(path, args, {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', HOME: '/' },
    stdio: ['ignore', 'pipe', errors],
    ...(user ? { uid: user.uid, gid: user.gid } : {}),
  });
  closeSync(errors);
  const forget = atExit(() => void child.kill('SIGKILL'));
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      forget();
      resolve(code);
    });
  });
  ended.catch(() => {});
  let text = '';
  let seen: () => void = () => {};
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    // Only the first line is waited for; what comes later is read so that the program can go on.
    if (!text.includes('\n')) text += chunk;
    seen();
  });
  const failed = async (): Promise<never> => {
    const code = await ended;
    throw new Error(`${path} ended with ${code}:\n${(await readFile(log, 'utf8')).slice(-4000)}`);
  };
  return {
    get pid() {
      if (child.pid === undefined) throw new Error(`${path} has no process`);
      return child.pid;
    },
    firstLine: () => {
      const line = new Promise<string>((resolve) => {
        seen = () => text.includes('\n') && resolve(text.slice(0, text.indexOf('\n')));
        seen();
      });
      return Promise.race([line, failed()]);
    },
    listening: async (port) => {
      let given = false;
      const open = async (): Promise<void> => {
        while (!given && !(await takesConnections(port))) await pause(20);
      };
      await Promise.race([open(), failed()]).finally(() => {
        given = true;
      });
    },
    stop: async () => {
      child.kill('SIGTERM');
      if ((await ended) !== 0) await failed();
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function takesConnections(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port });
  const open = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
  });
  socket.destroy();
  return open;
}
