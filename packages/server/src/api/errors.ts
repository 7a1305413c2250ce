import { ApiError } from '@sluice/api/api-error.ts';
import { type ErrorCode, statusOf } from '@sluice/api/error-code.ts';
import type { ErrorBody } from '@sluice/api/schema/error.ts';
import { SluiceError } from '@sluice/core/domain/error.ts';
import type { FastifyError } from 'fastify';

/** Codes of the parts behind the API that mean the same as one of the API's own. */
const meanings: Readonly<Record<string, ErrorCode>> = {
  unauthenticated: 'unauthenticated',
  unknown_target: 'not_found',
  not_found: 'not_found',
  denied: 'refused',
  not_a_reviewer: 'refused',
  own_request: 'refused',
  not_a_person: 'refused',
  proof_expired: 'refused',
  already_answered: 'conflict',
  settled: 'conflict',
  lapsed: 'conflict',
  not_approved: 'conflict',
  consent_lost: 'conflict',
  session_over: 'conflict',
  too_large: 'too_large',
  too_many: 'too_many',
  too_many_credentials: 'too_many',
  stopping: 'unavailable',
  recording_failed: 'unavailable',
  store_lost: 'unavailable',
  store_unreachable: 'unavailable',
  store_refused: 'unavailable',
};

/** Any error as the API says it. What is not made for the outside becomes `internal`, without a word of its text. */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError && error.code in statusOf) return error;
  if (error instanceof SluiceError) return fromSluice(error);
  if (error instanceof Error && 'statusCode' in error) return fromFramework(error as FastifyError);
  return internal(error);
}

export function errorBody(error: ApiError, requestId: string): ErrorBody {
  return {
    error: {
      code: error.code,
      message: error.publicMessage,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      request_id: requestId,
    },
  };
}

export function notFound(): ApiError {
  return new ApiError('not_found', 'No such route.', { hint: 'All routes are listed under /api/openapi.json.' });
}

function fromSluice(error: SluiceError): ApiError {
  const bySource = { client: 'bad_request', policy: 'refused', upstream: 'bad_gateway', gateway: 'internal' } as const;
  const code = meanings[error.code] ?? bySource[error.source];
  return new ApiError(code, error.publicMessage, { source: error.source, cause: error });
}

function fromFramework(error: FastifyError): ApiError {
  if (error.validation) {
    // What does not look like an id names nothing.
    if (error.validationContext === 'params') return new ApiError('not_found', 'No object of this id.');
    const where = error.validationContext === 'querystring' ? 'query' : 'body';
    const problems = error.validation.map(({ instancePath, message }) => {
      const path = instancePath.replace(/^\//, '').replaceAll('/', '.');
      return path === '' ? (message ?? 'not valid') : `${path}: ${message ?? 'not valid'}`;
    });
    return new ApiError('bad_request', `The ${where} is not valid: ${problems.slice(0, 10).join('; ')}.`, {
      hint: 'The route and its fields are described under /api/openapi.json.',
      cause: error,
    });
  }
  switch (error.statusCode) {
    case 404:
    case 414:
      return notFound();
    case 413:
      return new ApiError('too_large', 'The request is larger than this route takes.', { cause: error });
    case 415:
      return new ApiError('unsupported_media_type', 'A body is taken as application/json only.', { cause: error });
    case 503:
      return new ApiError('unavailable', 'The gateway is stopping.', { source: 'gateway', cause: error });
    case 400:
      return new ApiError('bad_request', 'The request is malformed.', { cause: error });
    default:
      return internal(error);
  }
}

function internal(cause: unknown): ApiError {
  return new ApiError('internal', 'Something went wrong inside the gateway.', {
    source: 'gateway',
    hint: 'The request id leads to the details in the log of the gateway.',
    cause,
  });
}
