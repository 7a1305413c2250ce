import type { Position } from './source/position.ts';

/** What is wrong with a policy, for the person who wrote it. */
export interface PolicyError {
  readonly path: string;
  /** Both counted from 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
  /** What to do about it; empty when the message says it all. */
  readonly hint: string;
}

export function policyError(path: string, at: Position, message: string, hint = ''): PolicyError {
  return { path, line: at.line, column: at.column, message, hint };
}

/** One line for a terminal or a log: `policies/a.cedar:3:5: message (hint)`. */
export function formatPolicyError(error: PolicyError): string {
  const hint = error.hint === '' ? '' : ` (${error.hint})`;
  return `${error.path}:${error.line}:${error.column}: ${error.message}${hint}`;
}
