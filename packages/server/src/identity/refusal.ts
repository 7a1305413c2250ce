import { unauthenticated } from '@sluice/core/contract/identity.ts';
import type { CoreError } from '@sluice/core/domain/error.ts';

/** Why a proof was not accepted. For the log and the audit trail only: a client is told the same text for all of them. */
export type RefusalReason =
  | 'empty'
  | 'too_large'
  | 'malformed'
  | 'unknown_issuer'
  | 'token_type'
  | 'algorithm'
  | 'no_key'
  | 'signature'
  | 'issuer_unavailable'
  | 'audience'
  | 'authorized_party'
  | 'expired'
  | 'not_yet_valid'
  | 'claims'
  | 'kind'
  | 'groups'
  | 'delegation'
  | 'disabled'
  | 'access_credential';

/** A refusal before it is made uniform. `detail` is for operators; it may name claims but holds no token. */
export class Refusal extends Error {
  readonly reason: RefusalReason;

  constructor(reason: RefusalReason, detail: string, cause?: unknown) {
    super(detail, cause === undefined ? undefined : { cause });
    this.name = 'Refusal';
    this.reason = reason;
  }
}

/** The one answer to every proof that is not accepted; the log is told why. */
export function refused(cause: unknown): CoreError {
  return unauthenticated(cause, cause instanceof Refusal ? `${cause.reason}: ${cause.message}` : undefined);
}
