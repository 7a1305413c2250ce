import { findPsql } from '../../harness/clients.ts';
import { runProgram } from '../../harness/run-program.ts';
import { environmentOf, type Way } from './pgbench.ts';

export interface Reading {
  readonly statement: string;
  /** Where its rows go, tabs between the cells. */
  readonly output: string;
  /** What the client calls itself. */
  readonly application: string;
}

/** Runs one statement by psql; resolves with the milliseconds that it took by psql's own clock. */
export async function psql(way: Way, { statement, output, application }: Reading): Promise<number> {
  const program = findPsql();
  if (!program.there) throw new Error(program.reason);
  const args = ['-X', '-q', '-A', '-t', '-F', '\t', '-o', output, '-c', '\\timing on', '-c', statement];
  const { code, stdout, stderr } = await runProgram(program.path, ['-v', 'ON_ERROR_STOP=1', ...args], {
    env: { ...environmentOf(way), PGAPPNAME: application },
  });
  const took = /^Time: ([\d.]+) ms/m.exec(stdout)?.[1];
  if (code !== 0 || took === undefined)
    throw new Error(`psql at port ${way.port} ended with ${code}: ${stderr}${stdout}`);
  return Number(took);
}
