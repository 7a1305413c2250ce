import {
  closeSync,
  fchmodSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { SluiceError } from '@sluice/core/domain/error.ts';

export type KeyErrorCode = 'key_unreadable' | 'key_exposed' | 'key_invalid' | 'key_unwritable';

/** A key file that can't be used. Names the file and what to do, never what is in it. */
export class KeyError extends SluiceError<KeyErrorCode> {
  constructor(code: KeyErrorCode, message: string, cause?: unknown) {
    super(code, 'gateway', 'Internal error.', { detail: message, cause });
  }
}

/** Contents of a file that only its owner may read; undefined when there is none. Throws `KeyError`. */
export function readKeyFile(path: string): string | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new KeyError(
      'key_unreadable',
      `${path}: cannot be opened (${reason(error)}). Give it to the gateway's user.`,
      error,
    );
  }
  try {
    const mode = fstatSync(fd).mode & 0o777;
    if ((mode & 0o077) !== 0 && process.platform !== 'win32') {
      const shown = mode.toString(8).padStart(4, '0');
      throw new KeyError('key_exposed', `${path}: others may read or write it (mode ${shown}). Run: chmod 600 ${path}`);
    }
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

/** Replaces the file as a whole and on disk, or leaves the old one. Throws `KeyError`. */
export function writeKeyFile(path: string, content: string, mode: number): void {
  const temporary = `${path}.new`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    rmSync(temporary, { force: true });
    const fd = openSync(temporary, 'wx', mode);
    try {
      // The umask may have taken bits away, never added any; a public file is meant to be readable.
      fchmodSync(fd, mode);
      writeSync(fd, content);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
    syncDirectory(dirname(path));
  } catch (error) {
    throw new KeyError('key_unwritable', `${path}: cannot be written (${reason(error)}).`, error);
  }
}

function syncDirectory(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function reason(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unknown error';
}
