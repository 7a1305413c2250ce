import type { Limits } from '@sluice/core/contract/connector.ts';
import type { HttpExchange, HttpOrigin, HttpRefusal, HttpUpgrade } from './exchange.ts';
import type { ServeLimits } from './serve-limits.ts';
import type { WatchedDuplex } from './watched-duplex.ts';

export interface ServeOptions {
  readonly limits: Limits;
  /** Largest body of a request; `limits.messageBytes` if absent. */
  readonly bodyBytes?: number;
  /**
   * Exchanges of HTTP/1.1 come one after the other; those of HTTP/2 at once, up to 64. It must have called `respond`
   * when it resolves. If it rejects, the client gets 500, or sees the answer break off, and `onFailure` is told.
   */
  onExchange(exchange: HttpExchange): void | Promise<void>;
  /** Absent: requests for an upgrade are served as if they had not asked for it (RFC 9110 section 7.8). */
  onUpgrade?(upgrade: HttpUpgrade): void | Promise<void>;
  /** Called once the client speaks HTTP, before its first exchange. */
  onConnected?(control: ConnectionControl): void;
  onRefused(refusal: HttpRefusal): void;
  onFailure(error: unknown): void;
}

export interface ConnectionControl {
  /**
   * Ends the connection when the exchanges that have begun are over. `message` tells an idle client why: as the body of
   * a 408 (RFC 9110 section 15.5.9), or as debug data of GOAWAY (RFC 9113 section 6.8).
   */
  close(message: string): void;
}

export interface ServedConnection {
  readonly origin: HttpOrigin;
  readonly stream: WatchedDuplex;
  readonly limits: ServeLimits;
  readonly options: ServeOptions;
}
