import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { runProgram } from '../../harness/run-program.ts';

export interface HttpLoad {
  readonly origin: string;
  readonly path: string;
  readonly token?: string;
  readonly connections: number;
  /** Ends when the time is up, or so many were made. */
  readonly seconds: number;
  readonly most: number;
}

export interface HttpMeasured {
  readonly requests: number;
  readonly milliseconds: number;
  /** Of the body that every answer had: its SHA-256, and itself. */
  readonly digest: string;
  readonly body: string;
}

/** For programs of ours, which are TypeScript. */
export const tsx = createRequire(import.meta.url).resolve('tsx');
const program = fileURLToPath(new URL('http-clients.ts', import.meta.url));

/** Runs the load in a process of its own. */
export async function httpLoad(load: HttpLoad): Promise<HttpMeasured> {
  const { code, stdout, stderr } = await runProgram(process.execPath, ['--import', tsx, program, JSON.stringify(load)]);
  if (code !== 0) throw new Error(`requests to ${load.origin} ended with ${code}: ${stderr.slice(-2000)}`);
  return JSON.parse(stdout) as HttpMeasured;
}
