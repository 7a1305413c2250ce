import { ApiError } from '@sluice/api/api-error.ts';
import { SluiceError } from '@sluice/core/domain/error.ts';
import { CliError } from './cli-error.ts';
import type { Exit } from './exit-code.ts';

/** An error as the command line reports it. */
export interface Failure {
  readonly exit: Exit;
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly requestId?: string;
}

const exits: Readonly<Record<string, Exit>> = {
  usage: 'usage',
  bad_token: 'usage',
  not_configured: 'usage',
  no_token: 'unauthenticated',
  unauthenticated: 'unauthenticated',
  tls_required: 'refused',
  refused: 'refused',
  not_found: 'not_found',
  conflict: 'conflict',
  unreachable: 'unreachable',
  bad_answer: 'unreachable',
  bad_gateway: 'failure',
  unavailable: 'unreachable',
};

export function failureOf(error: unknown): Failure {
  if (error instanceof ApiError || error instanceof CliError) {
    const exit = exits[error.code] ?? 'failure';
    return {
      exit,
      code: error.code,
      message: error.publicMessage,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      ...(error instanceof ApiError && error.requestId !== undefined ? { requestId: error.requestId } : {}),
    };
  }
  if (error instanceof SluiceError && error.code === 'invalid_config') {
    return { exit: 'failure', code: error.code, message: `The configuration is not right.\n${error.message}` };
  }
  // What fails on this machine is for the person at it: here the inner message may be shown, the wire is not involved.
  if (error instanceof SluiceError) return { exit: 'failure', code: error.code, message: error.message };
  return { exit: 'failure', code: 'failed', message: error instanceof Error ? error.message : String(error) };
}
