/** The primitives that core computes with; the server provides them from its platform's library. */
export interface Digests {
  /** SHA-256 (FIPS 180-4) of the concatenation; 32 bytes. */
  sha256(...parts: readonly Uint8Array[]): Uint8Array;
  /** The same of one part, written over the first 32 bytes of `into`: for whom an array each time costs too much. */
  sha256Into(into: Uint8Array, bytes: Uint8Array): void;
  /** The same of one part in lower-case hex. */
  sha256Hex(bytes: Uint8Array): string;
  /** HMAC-SHA-256 (RFC 2104) with the deployment's masking key; 32 bytes. */
  keyedHash(...parts: readonly Uint8Array[]): Uint8Array;
}

/** Signs seals. The private key never leaves the implementation. */
export interface Signer {
  /** First 16 hex digits of the SHA-256 of the raw public key. */
  readonly keyId: string;
  /** Ed25519 (RFC 8032); 64 bytes. */
  sign(message: Uint8Array): Uint8Array;
}

/** Checks seals; works offline from public keys alone. */
export interface SealVerifier {
  /** Whether the key id is among the trusted public keys. */
  knows(keyId: string): boolean;
  /** False for an unknown key id as well as for a bad signature. */
  verify(keyId: string, message: Uint8Array, signature: Uint8Array): boolean;
}

export interface Ids {
  /** Unguessable and URL-safe, with the given prefix: `req_…`, `ses_…`; at least 128 random bits. */
  next(prefix: string): string;
}
