/** The connector's one place where an error becomes PostgreSQL's own. */

import type { Denial } from '@sluice/core/contract/session.ts';
import { DeniedError } from '@sluice/core/contract/session.ts';
import { CoreError, type CoreErrorCode, SluiceError } from '@sluice/core/domain/error.ts';
import { MeaningError } from '../meaning/error.ts';
import type { Problem } from '../protocol/messages.ts';

/** Ends a login with exactly this error. */
export class Refusal extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.message);
    this.problem = problem;
  }
}

/** SQLSTATEs (PostgreSQL documentation, appendix A) for the gateway's own errors. */
const states: Readonly<Record<CoreErrorCode, string>> = {
  unauthenticated: '28P01',
  unknown_target: '3D000',
  denied: '42501',
  recording_failed: '58030',
  upstream_unreachable: '08006',
  upstream_login: '08004',
  upstream_protocol: '08P01',
  client_protocol: '08P01',
  permit_spent: 'XX000',
  session_over: '57P01',
  stopping: '57P01',
  internal: 'XX000',
};

export function problemOf(error: unknown, severity: 'ERROR' | 'FATAL'): Problem {
  if (error instanceof Refusal) return error.problem;
  if (error instanceof DeniedError) return problemOfDenial(error.denial, severity);
  if (error instanceof MeaningError) {
    const base = {
      severity,
      code: error.sqlstate,
      message: error.publicMessage,
      looksUp: error.code.startsWith('undefined_'),
      ...(error.position ? { position: error.position } : {}),
    };
    return error.hint ? { ...base, hint: error.hint } : base;
  }
  if (error instanceof CoreError) return { severity, code: states[error.code], message: error.publicMessage };
  // Bodies are read with bounds; what does not fit its message is the sender's mistake.
  if (error instanceof RangeError) return { severity, code: '08P01', message: `invalid message: ${error.message}` };
  if (error instanceof SluiceError) return { severity, code: 'XX000', message: error.publicMessage };
  return { severity, code: 'XX000', message: 'The gateway met an internal error; its log says more.' };
}

/** SQLSTATE 42501; DETAIL is one line of JSON for programs, HINT says what to do next. */
export function problemOfDenial(denial: Denial, severity: 'ERROR' | 'FATAL'): Problem {
  const detail = JSON.stringify({
    decision: denial.decision,
    policies: denial.policies,
    request: denial.request ?? null,
    url: denial.url ?? null,
  });
  return { severity, code: '42501', message: denial.reason, detail, hint: denial.hint };
}
