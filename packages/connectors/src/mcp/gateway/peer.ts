import type { JsonObject } from '@sluice/core/domain/json.ts';
import type { Failure, Notification, Request, Result } from '../jsonrpc/message.ts';

/** The gateway's side of its conversation with one upstream MCP server, whatever carries it. */
export interface Peer {
  /**
   * Sends what stands in `body` (`{"method": …, "params": …}`) as a request and resolves with its answer. Rejects with a
   * CoreError: `upstream_protocol` for an answer that makes no sense, `upstream_unreachable` when there is none,
   * `session_over` when the signal aborts; then the server is told that nobody waits.
   */
  request(body: Uint8Array, listener: CallListener): Promise<Result | Failure>;
  notify(notification: Notification): Promise<void>;
  /** Ends the server's session where there is such a thing, and everything under way. */
  close(): void;
}

export interface CallListener {
  readonly signal: AbortSignal;
  /** Whether progress is asked for. */
  readonly progress: boolean;
  /** A notification that belongs to the request. What it resolves is waited for before more is read. */
  onNotification(notification: Notification): Promise<void> | undefined;
}

/** What a server says that answers nothing. */
export interface PeerEvents {
  /** As for a call: whoever is slow slows the server down. */
  onNotification(notification: Notification): Promise<void> | undefined;
  /** Answers a request of the server's; it is sent back as it is. */
  onRequest(request: Request): Result | Failure;
  /** Something it must not say, or that belongs to nothing: dropped. `what` holds none of it. */
  onNonsense(what: string): void;
  /** The server is gone, or says what makes no sense. Called at most once, and not after `close`. */
  onLost(error: Error): void;
}

/** Revisions that the gateway speaks, newest first (MCP "Versioning"). */
export const protocolVersions: readonly string[] = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'];

/** What a server said of itself. */
export interface PeerInfo {
  readonly version: string;
  readonly capabilities: JsonObject;
  readonly name: string;
  readonly release: string;
}
