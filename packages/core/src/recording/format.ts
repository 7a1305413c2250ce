/**
 * A session's recording: the bytes of the file, the chain through its events, the seal at its end, and the reading
 * back of all that. This folder is pure: it computes on bytes and gets hashing, signing, compression and storage
 * through ports, so the same code runs in the gateway, in the offline verifier and in a browser. It is not a store,
 * and it decides nothing. `docs/recording-format.md` describes the file for readers written by others.
 */

/**
 * A byte above 127, the name, CR LF, the end-of-file character of DOS, LF, and the format version. Transfers that strip
 * the eighth bit or translate line ends damage it visibly (the idea is PNG's, RFC 2083 section 12.11).
 */
export const magic: Uint8Array = Uint8Array.of(0x89, 0x53, 0x4c, 0x55, 0x49, 0x43, 0x45, 0x0d, 0x0a, 0x1a, 0x0a, 0x01);

export const formatVersion = 1;

/** Numbers of the event types on disk; never reused. */
export const eventTypes = {
  header: 1,
  action: 2,
  approval: 3,
  shape: 4,
  rows: 5,
  capped: 6,
  complete: 7,
  notice: 8,
  error: 9,
  terminal: 10,
  resize: 11,
  event: 12,
  end: 13,
  seal: 14,
  input: 15,
  output: 16,
} as const;

export type EventTypeName = keyof typeof eventTypes;

const names = new Map<number, EventTypeName>(
  (Object.keys(eventTypes) as EventTypeName[]).map((name) => [eventTypes[name], name]),
);

export function eventTypeName(type: number): EventTypeName | undefined {
  return names.get(type);
}

export const highestType = 16;

/** Bit 0 of the flags: the payload is a u32 with its plain length, then raw DEFLATE data (RFC 1951). */
export const flagDeflated = 1;

// Offsets in a frame, see docs/recording-format.md.
export const typeAt = 4;
export const flagsAt = 5;
export const timeAt = 6;
export const previousAt = 12;
export const payloadAt = 44;

export const hashBytes = 32;
export const crcBytes = 4;

/** What `length` counts besides the payload: type, flags, time, previous hash. */
export const lengthBase = payloadAt - typeAt;

/** Bytes of a frame with an empty payload. */
export const frameOverhead = payloadAt + crcBytes;

/** No payload, stored or plain, is longer; what would be is refused when writing and a fault when reading. */
export const maxPayload = 64 * 1024 * 1024;

export const maxLength = lengthBase + maxPayload;

/** Microseconds; a time offset is 48 bits wide. */
export const maxTime = 2 ** 48 - 1;

/** Names of streams: 1 to 64 printable ASCII characters, so that one byte holds the length and nobody is misled. */
const streamNameForm = /^[ -~]{1,64}$/;

export function isStreamName(text: string): boolean {
  return streamNameForm.test(text);
}

/** Units with output under way at once, and streams in each: bounds what writer and verifier have to remember. */
export const openUnits = 256;
export const unitStreams = 8;

/** Seal payload: key id (8), event count (u64), Ed25519 signature (64). */
export const sealPayload = 80;

/** The seal is the last frame and always this long, so that a look at the file's end tells whether it is there. */
export const sealFrame = frameOverhead + sealPayload;

const sessionIdForm = /^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;

/** Session ids become file names: only these may. */
export function isSessionId(text: string): boolean {
  return sessionIdForm.test(text);
}

export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += hexPairs[byte];
  return text;
}

const hexPairs = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
