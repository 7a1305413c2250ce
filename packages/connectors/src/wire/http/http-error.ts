import { SluiceError } from '@sluice/core/domain/error.ts';

/** What goes wrong in an exchange, on either side of the gateway. */
export type HttpErrorCode =
  | 'bad_request'
  | 'body_too_large'
  | 'timeout'
  | 'client_gone'
  | 'bad_response'
  | 'response_too_large'
  | 'upstream_gone';

const upstreamCodes: ReadonlySet<HttpErrorCode> = new Set(['bad_response', 'response_too_large', 'upstream_gone']);

export class HttpError extends SluiceError<HttpErrorCode> {
  constructor(code: HttpErrorCode, message: string, options: { cause?: unknown; detail?: string } = {}) {
    super(code, upstreamCodes.has(code) ? 'upstream' : 'client', message, options);
    this.name = 'HttpError';
  }
}
