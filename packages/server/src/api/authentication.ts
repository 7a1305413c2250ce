import { ApiError } from '@sluice/api/api-error.ts';
import { SluiceError } from '@sluice/core/domain/error.ts';
import type { Principal } from '@sluice/core/domain/principal.ts';
import { Redacted } from '@sluice/core/domain/redacted.ts';
import type { FastifyRequest } from 'fastify';
import type { ApiServices } from './services.ts';

const longestToken = 16 * 1024;

/** Counts one failure; gives the seconds to wait once there were too many from one address. */
export type CountFailure = (request: FastifyRequest) => Promise<number | undefined>;

/** Raised with a `Retry-After`, in seconds. */
export class TooManyFailures extends ApiError {
  readonly retryAfter: number;

  constructor(retryAfter: number) {
    super('too_many', 'Too many failed attempts to authenticate from this address.', {
      hint: `Wait ${retryAfter} seconds, and send a valid token: it is accepted at any time.`,
    });
    this.retryAfter = retryAfter;
  }
}

/**
 * The principal behind a request's bearer token (RFC 6750 section 2.1). Every failure gets the same refusal. Failures
 * are counted per address and then answered 429, but a valid token is never turned away for the failures of others at
 * its address: that would let an agent lock out the person who wants to stop it.
 */
export async function authenticate(
  request: FastifyRequest,
  services: ApiServices,
  countFailure: CountFailure,
): Promise<Principal> {
  refuseClearText(request);
  const token = bearerToken(request);
  if (token === undefined) throw unauthenticated();
  try {
    return await services.identity.bearer(token);
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code !== 'unauthenticated') throw error;
    const wait = await countFailure(request);
    // Beyond the limit nothing more is recorded: nobody without a token gets to fill the disk.
    if (wait !== undefined) throw new TooManyFailures(wait);
    services.audit.record({
      name: 'auth.refused',
      channel: 'api',
      code: 'unauthenticated',
      user: '',
      target: '',
      address: request.ip,
    });
    throw unauthenticated();
  }
}

export function isEncrypted(request: FastifyRequest): boolean {
  return 'encrypted' in request.raw.socket && request.raw.socket.encrypted === true;
}

function bearerToken(request: FastifyRequest): Redacted | undefined {
  // Two headers would let something in front of the gateway see one token and the gateway another.
  const headers = request.raw.headersDistinct['authorization'] ?? [];
  const [header] = headers;
  if (header === undefined || headers.length !== 1 || header.length > longestToken) return undefined;
  const match = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(header);
  return match?.[1] === undefined ? undefined : new Redacted(match[1]);
}

/** Whoever can listen on the network could use the token: over plain HTTP it is taken from this machine only. */
function refuseClearText(request: FastifyRequest): void {
  if (isEncrypted(request) || isLoopback(request.raw.socket.remoteAddress ?? '')) return;
  throw new ApiError('tls_required', 'This gateway takes tokens over TLS only.', {
    hint: 'Use https://. If this token was ever sent in clear text, have it revoked.',
  });
}

function isLoopback(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address);
}

function unauthenticated(): ApiError {
  return new ApiError('unauthenticated', 'A valid token is needed.', {
    hint: 'Send `Authorization: Bearer <token>` with an unexpired token of an issuer that this gateway knows.',
  });
}
