import { hashBytes } from './format.ts';

// A prefix of its own keeps this signature from being taken for one over anything else signed with the same key.
const domain = 'sluice recording seal v1';

export interface Sealed {
  readonly session: string;
  readonly target: string;
  /** Id of the principal. */
  readonly principal: string;
  /** Events before the seal. */
  readonly events: number;
  /** SHA-256 of the last event before the seal; 32 bytes. */
  readonly head: Uint8Array;
}

/** The bytes that the Ed25519 signature covers. Every variable part carries its length: no two inputs look alike. */
export function sealMessage(sealed: Sealed): Uint8Array {
  const encoder = new TextEncoder();
  const parts = [domain, sealed.session, sealed.target, sealed.principal].map((text) => encoder.encode(text));
  const size = parts.reduce((sum, part) => sum + 4 + part.length, 0) + 8 + hashBytes;
  const message = new Uint8Array(size);
  const view = new DataView(message.buffer);
  let at = 0;
  for (const part of parts) {
    view.setUint32(at, part.length);
    message.set(part, at + 4);
    at += 4 + part.length;
  }
  view.setBigUint64(at, BigInt(sealed.events));
  message.set(sealed.head, at + 8);
  return message;
}
