import type { Result } from '../measure.ts';
import type { Machine } from './machine.ts';

/** A row as it is kept: with when and of what it was measured, as rows may be measured again one by one. */
export interface KeptResult extends Result {
  /** ISO 8601, in UTC. */
  readonly at: string;
  readonly commit: string;
  readonly rounds: number;
  readonly seconds: number;
}

/** What `docs/benchmarks/results.gen.json` holds. */
export interface Run {
  readonly format: 1;
  readonly machine: Machine;
  readonly results: readonly KeptResult[];
}

/**
 * The rows that were measured now in place of the same of before, in the order of `ids`. What was measured on another
 * machine is dropped: rows of a table are there to be compared.
 */
export function merge(before: Run | undefined, now: Run, ids: readonly string[]): Run {
  const kept = before && sameMachine(before.machine, now.machine) ? before.results : [];
  const byId = new Map([...kept, ...now.results].map((result) => [result.id, result]));
  return { ...now, results: ids.flatMap((id) => byId.get(id) ?? []) };
}

/** Samples with as many digits as say something. */
export function toJson(run: Run): string {
  const short = (_: string, value: unknown): unknown =>
    typeof value === 'number' ? Number(value.toPrecision(6)) : value;
  return `${JSON.stringify(run, short, 2)}\n`;
}

function sameMachine(a: Machine, b: Machine): boolean {
  const keys = ['processor', 'processors', 'memory', 'system', 'node', 'postgres', 'pgbouncer', 'openssh'] as const;
  return keys.every((key) => a[key] === b[key]);
}
