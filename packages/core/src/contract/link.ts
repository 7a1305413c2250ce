import type { Redacted } from '../domain/redacted.ts';

/**
 * One connection's bytes. The server owns the socket; a connector sees only this. Callbacks are set once, and none is
 * called before the turn of the event loop in which the link was handed over has ended.
 */
export interface Link {
  /** `host:port` of the other side, for people. */
  readonly remote: string;
  readonly loopback: boolean;
  /** Whether TLS is up. */
  readonly secure: boolean;
  onData(callback: (chunk: Uint8Array) => void): void;
  /** Called exactly once; `error` is absent after an orderly end. */
  onClose(callback: (error?: Error) => void): void;
  /** Called when a `write` that returned false has drained. */
  onDrain(callback: () => void): void;
  /** False when the other side is slower than we are: stop producing until `onDrain`. */
  write(bytes: Uint8Array): boolean;
  /**
   * Whether the operating system has all that was written, so that the arrays it was in may be written over. Absent where
   * that is not known: then they may not.
   */
  readonly sent?: boolean;
  /** Collects writes until `uncork`, so that one turn of the loop becomes one system call. */
  cork(): void;
  uncork(): void;
  pause(): void;
  resume(): void;
  /** Sends what was written, then closes. */
  end(): void;
  destroy(): void;
}

export interface ClientLink extends Link {
  /** Whether the listener has a certificate, so that `startTls` can work. */
  readonly canTls: boolean;
  /**
   * Takes the connection over to TLS as its server. `unread` gives back bytes that already belong to the handshake
   * (TLS from the first byte); any other plaintext that was read before is the caller's to refuse. Then one of `alpn`
   * must be negotiated, or, where it is optional, the client may offer nothing.
   * Rejects when the handshake fails.
   */
  startTls(options: {
    readonly alpn?: readonly string[];
    readonly alpnOptional?: true;
    readonly unread?: Uint8Array;
  }): Promise<void>;
  /** SHA-256-or-better hash of our certificate for `tls-server-end-point` (RFC 5929 section 4.1); absent without TLS. */
  channelBinding(): Uint8Array | undefined;
}

export type TlsMode = 'disable' | 'require' | 'verify-ca' | 'verify-full';

export interface UpstreamTls {
  readonly alpn?: readonly string[];
  /** What the gateway proves itself with if the server asks: a certificate with its intermediates, and its key, in PEM. */
  readonly certificate?: { readonly chain: Redacted; readonly key: Redacted };
}

export interface UpstreamSocket extends Link {
  /** Takes the connection over to TLS as its client, verifying as the target is configured. */
  startTls(options: UpstreamTls): Promise<void>;
  /** Hash of the server's certificate for `tls-server-end-point`; absent without TLS. */
  channelBinding(): Uint8Array | undefined;
}
