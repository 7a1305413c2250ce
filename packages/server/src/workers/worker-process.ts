import { type ChildProcess, fork, type Serializable } from 'node:child_process';
import type { Socket } from 'node:net';
import type { ChannelEnd, Message } from './channel.ts';

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: string | null;
}

/** One worker's process, from the gateway's side. */
export interface WorkerProcess {
  readonly pid: number;
  readonly end: ChannelEnd;
  /** Resolves when it is gone and everything that it said before was heard. */
  readonly over: Promise<Ending>;
  /** Takes the channel away; a worker without one ends by itself. */
  disconnect(): void;
  kill(): void;
}

/** After its end, what it said last is still read; this long at most. */
const lastWords = 2_000;

/** Rejects when no process can be made. Its log goes to our standard error; its environment is ours. */
export async function startWorkerProcess(): Promise<WorkerProcess> {
  // What loads TypeScript in this process is not for that one: its entry is plain JavaScript and brings its own.
  const child = fork(new URL('../worker.js', import.meta.url), [], {
    serialization: 'advanced',
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const over = overOf(child);
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
  // Later errors are of messages and signals that could not be sent: whoever sent them is told.
  child.on('error', () => {});
  return {
    pid: child.pid ?? 0,
    end: endOf(child),
    over,
    disconnect: () => {
      if (child.connected) child.disconnect();
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

function overOf(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve) => {
    const silent = new Promise<void>((quiet) => child.once('disconnect', () => quiet()));
    child.once('exit', (code, signal) => {
      const late = new Promise<void>((quiet) => void setTimeout(quiet, lastWords).unref());
      void Promise.race([silent, late]).then(() => resolve({ code, signal }));
    });
  });
}

/** The channel of a forked process, and that of a process that was forked, look alike. */
export function endOf(side: ChildProcess | NodeJS.Process): ChannelEnd {
  const events: NodeJS.EventEmitter = side;
  return {
    send: (message, socket, sent) => {
      if (!side.connected || !side.send) {
        sent(new Error('the channel is closed'));
        return;
      }
      side.send(message satisfies Serializable, socket, { keepOpen: false }, sent);
    },
    onMessage: (callback) =>
      void events.on('message', (message: Message, socket: Socket | undefined) => callback(message, socket)),
    onClosed: (callback) => void events.once('disconnect', callback),
  };
}
