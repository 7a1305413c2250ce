import { HttpError } from '../../wire/http/http-error.ts';

/** A request that has no meaning the gateway knows. The message says what it was, and holds nothing of it. */
export function badRequest(message: string, cause?: unknown): HttpError {
  return new HttpError('bad_request', message, { cause });
}
