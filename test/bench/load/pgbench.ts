/**
 * Who makes the load: programs of their own, each in its own process, so that neither the peers nor this process are
 * what is measured. PostgreSQL's pgbench and psql, OpenSSH's clients, and where there is no such program, small ones
 * of ours. Nothing here knows who is at the other end.
 */
import { type RunningProgram, startProgram } from '../../harness/run-program.ts';

/** How to get to a database. */
export interface Way {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Path of the certificate authority to trust, where TLS is wanted. Absent: without TLS. */
  readonly ca?: string;
}

export interface Load {
  /** Beyond those that are always the same: `-S`, `-M prepared`, `-f …`. */
  readonly args: readonly string[];
  readonly clients: number;
  /** Either how long, or how many transactions of each client. */
  readonly length: { readonly seconds: number } | { readonly transactions: number };
  /** What the client calls itself. */
  readonly application: string;
}

export interface Measured {
  /** That were really run, over all clients. */
  readonly transactions: number;
  /** Milliseconds of a transaction, as its client saw it. */
  readonly latency: number;
  readonly perSecond: number;
  /** Milliseconds for connecting, with `-C`. */
  readonly connecting?: number;
}

/** Throws when pgbench fails, or a transaction does. None at all may be run, where connecting took all of the time. */
export async function pgbench(program: string, way: Way, load: Load): Promise<Measured> {
  const { code, stdout, stderr } = await startPgbench(program, way, load).ended;
  if (code !== 0) throw new Error(`pgbench at port ${way.port} ended with ${code}: ${stderr.slice(-2000)}`);
  return readResult(stdout);
}

export function startPgbench(program: string, way: Way, { args, clients, length, application }: Load): RunningProgram {
  const long = 'seconds' in length ? ['-T', String(length.seconds)] : ['-t', String(length.transactions)];
  // One thread: the machine's processors are for those that are measured.
  return startProgram(program, ['-n', '-c', String(clients), '-j', '1', ...long, ...args], {
    env: { ...environmentOf(way), PGAPPNAME: application },
  });
}

/** What libpq reads. */
export function environmentOf(way: Way): Record<string, string> {
  return {
    PGHOST: way.host,
    PGPORT: String(way.port),
    PGUSER: way.user,
    PGPASSWORD: way.password,
    PGDATABASE: way.database,
    PGSSLMODE: way.ca === undefined ? 'disable' : 'verify-ca',
    ...(way.ca === undefined ? {} : { PGSSLROOTCERT: way.ca }),
    PGGSSENCMODE: 'disable',
  };
}

/** Reads what pgbench says at its end. */
export function readResult(text: string): Measured {
  const number = (pattern: RegExp): number | undefined => {
    const found = pattern.exec(text)?.[1];
    return found === undefined ? undefined : Number(found);
  };
  const transactions = number(/^number of transactions actually processed: (\d+)/m);
  const failed = number(/^number of failed transactions: (\d+)/m) ?? 0;
  const latency = number(/^latency average = ([\d.]+) ms/m);
  const perSecond = number(/^tps = ([\d.]+)/m);
  const connecting = number(/^average connection time = ([\d.]+) ms/m);
  // Whoever came to nothing has no latency and no rate; that is for the caller to judge.
  if (transactions === 0 && failed === 0) return { transactions, latency: Number.POSITIVE_INFINITY, perSecond: 0 };
  if (transactions === undefined || latency === undefined || perSecond === undefined || failed > 0) {
    throw new Error(`pgbench told something else than expected:\n${text}`);
  }
  return { transactions, latency, perSecond, ...(connecting === undefined ? {} : { connecting }) };
}
