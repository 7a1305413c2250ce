import type { FileHandle } from 'node:fs/promises';
import { crc32c } from '@sluice/core/recording/crc32c.ts';
import {
  crcBytes,
  eventTypes,
  lengthBase,
  previousAt,
  sealFrame,
  sealPayload,
  toHex,
  typeAt,
} from '@sluice/core/recording/format.ts';

/** Head of a recording whose last frame is an intact seal; undefined for any other. One read, whatever the size. */
export async function sealedHead(handle: FileHandle): Promise<string | undefined> {
  const { size } = await handle.stat();
  if (size < sealFrame) return undefined;
  const bytes = new Uint8Array(sealFrame);
  const { bytesRead } = await handle.read(bytes, 0, sealFrame, size - sealFrame);
  if (bytesRead < sealFrame || bytes[typeAt] !== eventTypes.seal) return undefined;
  const view = new DataView(bytes.buffer);
  if (view.getUint32(0) !== lengthBase + sealPayload) return undefined;
  if (view.getUint32(sealFrame - crcBytes) !== crc32c(bytes, 0, sealFrame - crcBytes)) return undefined;
  return toHex(bytes.subarray(previousAt, previousAt + 32));
}
