import { execFileSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { findPgbench } from '../../harness/clients.ts';
import { findPgBouncer } from '../peers/pgbouncer.ts';

/** Where figures come from; without it they say nothing. */
export interface Machine {
  readonly processor: string;
  readonly processors: number;
  /** GiB. */
  readonly memory: number;
  readonly system: string;
  readonly node: string;
  readonly postgres: string;
  readonly pgbouncer: string;
  readonly openssh: string;
  /** Of the sources, with `-dirty` behind it when they are not those of a commit. */
  readonly commit: string;
}

const none = 'not installed';

export function describeMachine(): Machine {
  const bouncer = findPgBouncer();
  const pgbench = findPgbench();
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    processors: cpus().length,
    memory: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()}`,
    node: process.version,
    postgres: pgbench.there ? firstLine(pgbench.path.replace(/pgbench$/, 'psql'), ['--version']) : none,
    pgbouncer: bouncer.there ? firstLine(bouncer.path, ['--version']) : none,
    openssh: firstLine('ssh', ['-V']),
    commit: firstLine('git', ['describe', '--always', '--dirty', '--abbrev=10', '--exclude=*']),
  };
}

/** Processors that others keep busy now; what is measured beside them is worth little. */
export function busyProcessors(): number {
  return loadavg()[0] ?? 0;
}

function firstLine(program: string, args: readonly string[]): string {
  try {
    // OpenSSH tells its version on standard error.
    const text = execFileSync('/bin/sh', ['-c', '"$@" 2>&1', 'sh', program, ...args], { encoding: 'utf8' });
    return text.split('\n')[0]?.trim() ?? none;
  } catch {
    return none;
  }
}
