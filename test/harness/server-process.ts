import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';
import { dirname } from 'node:path';
import type { ServerUser } from './unprivileged.ts';

export interface Server {
  readonly pid: number;
  stop(how: 'fast' | 'immediate'): Promise<void>;
}

export function as(user: ServerUser | undefined): { uid?: number; gid?: number; env: NodeJS.ProcessEnv } {
  // Folders of our own PATH may be closed to that user; those of the system are not.
  const env: NodeJS.ProcessEnv = { PATH: `${process.env['PATH'] ?? ''}:/usr/bin:/bin`, LC_ALL: 'C', HOME: '/' };
  return user ? { uid: user.uid, gid: user.gid, env } : { env };
}

/**
 * The shell in between ends the server when its own standard input closes, which the kernel does for us even if this
 * process is killed, and then cleans up. It says the server's pid on standard output, and ends when the server does.
 */
const watchdog = `
folder=$1; shift
"$@" </dev/null >&2 3<&- &
server=$!
echo "$server"
exec >&-
( while read -r how; do kill "-$how" "$server"; done; kill -QUIT "$server" ) <&3 2>/dev/null &
watcher=$!
exec 3<&-
wait "$server"
kill "$watcher" 2>/dev/null
wait "$watcher"
# Ended by itself and not by us: nobody is left to clean up.
[ $? -ge 128 ] || rm -rf "$folder"
`;

export function launch(binary: string, args: string[], user: ServerUser | undefined, cwd: string, logFile: string) {
  const log = openSync(logFile, 'a', 0o644);
  const child: ChildProcess = spawn('/bin/sh', ['-c', watchdog, 'sluice-test-pg', dirname(cwd), binary, ...args], {
    ...as(user),
    cwd,
    stdio: ['ignore', 'pipe', log, 'pipe'],
  });
  closeSync(log);
  const control = child.stdio[3] as Socket;
  // The server may be gone already when it is told to end.
  control.on('error', () => {});
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('exit', () => resolve());
  });
  const pid = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.stdout?.once('data', (chunk) => resolve(Number.parseInt(String(chunk), 10)));
    child.stdout?.once('end', () => reject(new Error('The test server told no pid.')));
  });
  pid.catch(() => {});
  // A forgotten server must not keep the test process alive.
  child.unref();
  control.unref();
  (child.stdout as Socket).unref();
  const tell = (signal: string) => control.write(`${signal}\n`);
  return {
    ended,
    kill: () => void tell('QUIT'),
    async running(): Promise<Server> {
      return {
        pid: await pid,
        async stop(how) {
          child.ref();
          tell(how === 'fast' ? 'INT' : 'QUIT');
          await ended;
          control.end();
        },
      };
    },
  };
}
