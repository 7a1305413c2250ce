import { ByteReader } from '../../wire/byte-reader.ts';
import { startupCode } from './codes.ts';

/** The packet before any message, without type byte (protocol "StartupMessage", "SSLRequest", …). */
export type StartupPacket =
  | { readonly kind: 'ssl' }
  | { readonly kind: 'gss' }
  | { readonly kind: 'cancel'; readonly pid: number; readonly secret: Buffer }
  | { readonly kind: 'startup'; readonly minor: number; readonly parameters: ReadonlyMap<string, string> }
  | { readonly kind: 'unknown'; readonly version: number };

/** A startup packet is never larger (the server's own MAX_STARTUP_PACKET_LENGTH). */
export const maxStartupLength = 10_000;

/**
 * Reads one packet from the front of `bytes`: undefined while it is incomplete. Throws `RangeError` for lengths and
 * bodies that cannot be.
 */
export function readStartup(bytes: Buffer): { readonly packet: StartupPacket; readonly length: number } | undefined {
  if (bytes.length < 4) return undefined;
  const length = bytes.readInt32BE(0);
  if (length < 8 || length > maxStartupLength) throw new RangeError(`startup packet claims ${length} bytes`);
  if (bytes.length < length) return undefined;
  const reader = new ByteReader(bytes, 4, length);
  const version = reader.uint32();
  return { packet: packetOf(version, reader), length };
}

function packetOf(version: number, reader: ByteReader): StartupPacket {
  if (version === startupCode.ssl || version === startupCode.gssEncryption) {
    if (reader.left > 0) throw new RangeError('request for encryption with a body');
    return { kind: version === startupCode.ssl ? 'ssl' : 'gss' };
  }
  if (version === startupCode.cancel) {
    // Protocol 3.2 allows keys of up to 256 bytes.
    const pid = reader.int32();
    if (reader.left < 4 || reader.left > 256) throw new RangeError('cancel request with an impossible key');
    return { kind: 'cancel', pid, secret: Buffer.from(reader.bytes(reader.left)) };
  }
  if (version >>> 16 !== 3) return { kind: 'unknown', version };
  const parameters = new Map<string, string>();
  for (;;) {
    const name = reader.cstring();
    if (name === '') break;
    if (parameters.has(name)) throw new RangeError(`startup parameter "${name}" given twice`);
    parameters.set(name, reader.cstring());
  }
  if (reader.left > 0) throw new RangeError('startup packet with bytes behind its end');
  return { kind: 'startup', minor: version & 0xffff, parameters };
}
