/** Where a writer's bytes go. */
export interface ByteSink {
  /**
   * Takes all of `bytes` before it returns, or throws and has taken none that a reader would see. The bytes are only
   * valid during the call. `last`: these close the recording, and may use the space that is kept for that.
   */
  write(bytes: Uint8Array, last: boolean): void;
}

/** SHA-256 over data that does not come in one piece. */
export interface RunningDigest {
  update(bytes: Uint8Array): void;
  /** 32 bytes; the digest is of no use afterwards. */
  digest(): Uint8Array;
}

export type StartDigest = () => RunningDigest;

export interface Deflater {
  /** Raw DEFLATE (RFC 1951) of the bytes; undefined when it is not worth it. */
  deflate(bytes: Uint8Array): Uint8Array | undefined;
}

export interface Inflater {
  /** Throws unless the data inflates to exactly `size` bytes; never produces more. */
  inflate(bytes: Uint8Array, size: number): Uint8Array;
}
