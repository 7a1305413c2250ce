import { SluiceError } from '@sluice/core/domain/error.ts';

/**
 * `locked`: another process uses the directory. `newer`: the database was migrated by a later version. `lost`: the
 * embedded database died. `unreachable`, `refused`, `misconfigured`: about a shared database. `misuse`: a defect here.
 */
export type StoreErrorCode =
  | 'store_locked'
  | 'store_newer'
  | 'store_lost'
  | 'store_unreachable'
  | 'store_refused'
  | 'store_misconfigured'
  | 'store_misuse';

/** Its `message` is for operators and holds no secret; on a wire it is always the same unspecific text. */
export class StoreError extends SluiceError<StoreErrorCode> {
  constructor(code: StoreErrorCode, message: string, cause?: unknown) {
    super(code, 'gateway', 'The gateway cannot reach its store.', {
      detail: message,
      ...(cause === undefined ? {} : { cause }),
    });
  }
}
