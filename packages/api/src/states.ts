import type { AccessRequestState } from '@sluice/core/domain/access-request.ts';

/** Every state, in the order of a request's life. */
export const accessRequestStates = [
  'pending',
  'approved',
  'denied',
  'expired',
  'cancelled',
  'used',
  'revoked',
] as const satisfies readonly AccessRequestState[];
