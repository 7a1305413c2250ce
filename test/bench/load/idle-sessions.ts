import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { atExit } from '../peers/left-behind.ts';
import { tsx } from './http-load.ts';
import { environmentOf, type Way } from './pgbench.ts';

export interface IdleSessions {
  /** Closes them all. */
  close(): Promise<void>;
}

const program = fileURLToPath(new URL('idle-clients.ts', import.meta.url));

/** Opens so many sessions, in a process of their own; resolves once all are open. */
export async function openIdleSessions(way: Way, count: number, application: string): Promise<IdleSessions> {
  const child = spawn(process.execPath, ['--import', tsx, program, String(count), application], {
    env: { PATH: process.env['PATH'] ?? '', ...environmentOf(way) },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const forget = atExit(() => void child.kill('SIGKILL'));
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      forget();
      resolve(code);
    });
  });
  const failed = async (): Promise<never> => {
    throw new Error(`idle sessions at port ${way.port} ended with ${await ended}: ${errors.slice(-2000)}`);
  };
  await Promise.race([new Promise((resolve) => child.stdout.once('data', resolve)), failed()]);
  return {
    close: async () => {
      child.stdin.end();
      if ((await ended) !== 0) await failed();
    },
  };
}
