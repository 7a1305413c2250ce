import { type ErrorSource, SluiceError } from '@sluice/core/domain/error.ts';
import { type ClientErrorCode, type ErrorCode, statusOf } from './error-code.ts';

/** A refusal of the API, the same on both of its sides: the gateway throws it, and the client throws what it got. */
export class ApiError extends SluiceError<ErrorCode | ClientErrorCode> {
  /** HTTP status; 0 when there was no answer. */
  readonly status: number;
  /** What to do next. */
  readonly hint: string | undefined;
  /** The gateway's name of the failed request, to be found again in its log. */
  readonly requestId: string | undefined;

  constructor(
    code: ErrorCode | ClientErrorCode,
    message: string,
    options: { hint?: string; requestId?: string; status?: number; source?: ErrorSource; cause?: unknown } = {},
  ) {
    super(code, options.source ?? 'client', message, { cause: options.cause });
    this.name = 'ApiError';
    this.status = options.status ?? (code in statusOf ? statusOf[code as ErrorCode] : 0);
    this.hint = options.hint;
    this.requestId = options.requestId;
  }
}
