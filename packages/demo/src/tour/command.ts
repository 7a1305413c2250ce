import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Stage } from '../start.ts';

export interface CommandResult {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

const program = fileURLToPath(new URL('../../../cli/bin/sluice.js', import.meta.url));

/** Runs the `sluice` command as the DBA would, in a process of its own. */
export async function sluice(stage: Stage, ...args: readonly string[]): Promise<CommandResult> {
  const child = spawn(process.execPath, [program, '--api', stage.api, '--token-file', stage.at.token('dba'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  return { code, out, err };
}
