import { randomBytes } from 'node:crypto';
import { open, rename, unlink } from 'node:fs/promises';
import { CliError } from './cli-error.ts';

/**
 * Writes a file for its owner's eyes only, whole or not at all: it appears under its name once it is complete.
 * Resolves with its size in bytes.
 */
export async function writeWhole(path: string, chunks: AsyncIterable<Uint8Array | string>): Promise<number> {
  const partial = `${path}.${randomBytes(6).toString('hex')}.part`;
  const handle = await open(partial, 'wx', 0o600).catch((cause: unknown) => {
    throw unwritable(path, cause);
  });
  try {
    for await (const chunk of chunks) await handle.appendFile(chunk);
    const { size } = await handle.stat();
    await handle.sync();
    await handle.close();
    await rename(partial, path);
    return size;
  } catch (cause) {
    await handle.close().catch(() => undefined);
    await unlink(partial).catch(() => undefined);
    throw isSystemError(cause) ? unwritable(path, cause) : cause;
  }
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}

function unwritable(path: string, cause: unknown): CliError {
  return new CliError(
    'bad_file',
    `${path} cannot be written: ${cause instanceof Error ? cause.message : String(cause)}.`,
    {
      cause,
    },
  );
}
