import type { Limits } from '@sluice/core/contract/connector.ts';

/** Bounds of one client connection; sizes in bytes, times in milliseconds. */
export interface ServeLimits {
  readonly headBytes: number;
  /** From the first byte of a head to its last. */
  readonly headTime: number;
  readonly bodyBytes: number;
  /** Between two pieces of a body that somebody waits for. */
  readonly bodyTime: number;
  /** Without any exchange. */
  readonly idleTime: number;
  /** From the end of what is said to the client until it must have closed the connection, too. */
  readonly lingerTime: number;
  /** HTTP/1.1 requests that may wait behind the one being answered. */
  readonly waiting: number;
  /** HTTP/2 streams at once. */
  readonly streams: number;
  /** HTTP/2 streams that a client may give up, beyond those it lets finish. */
  readonly resets: number;
}

export function serveLimits(limits: Limits, bodyBytes = limits.messageBytes): ServeLimits {
  return {
    headBytes: Math.min(limits.preAuthBytes, 64 * 1024),
    headTime: limits.preAuthTime,
    bodyBytes,
    bodyTime: 60_000,
    idleTime: 75_000,
    lingerTime: 2_000,
    waiting: 16,
    streams: 64,
    resets: 128,
  };
}
