import type { Admission } from '@sluice/core/contract/connector.ts';
import type { Identified } from '@sluice/core/contract/identity.ts';
import type { HttpExchange } from '../wire/http/exchange.ts';

/**
 * One HTTP request that has been let in: Host and Origin were checked, and whoever sent it has proven who they are. What
 * the path leads to answers it, whatever it is.
 */
export interface Visit {
  readonly exchange: HttpExchange;
  readonly who: Identified;
  /** Of the connection that it came on. */
  readonly admission: Admission;
}

/** Serves visits to one kind of place; never rejects for anything that a client or a target sends. */
export type Serve = (visit: Visit) => Promise<void>;
