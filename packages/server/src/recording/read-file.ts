import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

const chunkSize = 256 * 1024;

/** A recording opened for reading. Links are not followed: a name in the store is a file in the store. */
export async function openForReading(path: string, write = false): Promise<FileHandle> {
  const handle = await open(path, (write ? constants.O_RDWR : constants.O_RDONLY) | constants.O_NOFOLLOW);
  try {
    if ((await handle.stat()).isFile()) return handle;
    throw new Error(`${path}: not a file`);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** The bytes from `start` up to `end`, or to the end of the file. Every chunk is a buffer of its own. */
export async function* readChunks(handle: FileHandle, start = 0, end = Infinity): AsyncGenerator<Uint8Array> {
  for (let at = start; at < end; ) {
    const wanted = Math.min(chunkSize, end - at);
    const { bytesRead, buffer } = await handle.read(new Uint8Array(wanted), 0, wanted, at);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}

/** The whole file as it is now; a recording in progress grows meanwhile, and what is added is left out. */
export async function* readRecordingFile(path: string): AsyncGenerator<Uint8Array> {
  const handle = await openForReading(path);
  try {
    yield* readChunks(handle, 0, (await handle.stat()).size);
  } finally {
    await handle.close();
  }
}
