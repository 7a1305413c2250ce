import type { Principal } from './principal.ts';
import type { Target } from './target.ts';

/** Where the client comes from, as far as the gateway can see it. */
export interface ClientInfo {
  readonly address: string;
  readonly secure: boolean;
  /** What the client calls itself; a claim. */
  readonly application?: string;
}

export interface SessionInfo {
  readonly id: string;
  readonly principal: Principal;
  readonly target: Target;
  readonly client: ClientInfo;
  /** The access credential it was opened with, where there was one. */
  readonly credential?: string;
  /** Unix milliseconds. */
  readonly startedAt: number;
}

export type EndReason =
  | 'client_closed'
  | 'upstream_closed'
  | 'denied'
  | 'killed'
  | 'revoked'
  | 'expired'
  | 'protocol_error'
  | 'recording_failed'
  | 'gateway_stopped'
  | 'gateway_error'
  | 'interrupted';
