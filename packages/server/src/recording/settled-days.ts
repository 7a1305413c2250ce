import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '@sluice/core/contract/connector.ts';
import type { RecordingPath } from './layout.ts';

/**
 * Remembers, beside a day's recordings, that all of them were sealed: then a start needs to list their names, not to
 * open each. Only a shortcut for finding what to recover; it proves nothing, and verification does not look at it.
 */
export class SettledDays {
  readonly #path: string;
  readonly #names: string;

  constructor(directory: string, files: readonly RecordingPath[]) {
    this.#path = join(directory, '.sealed');
    const digest = createHash('sha256');
    for (const { session } of files) digest.update(`${session}\n`);
    this.#names = digest.digest('hex');
  }

  async settled(): Promise<boolean> {
    try {
      return (await readFile(this.#path, 'utf8')) === this.#names;
    } catch {
      return false;
    }
  }

  async settle(log: Log): Promise<void> {
    try {
      await writeFile(this.#path, this.#names, { mode: 0o600 });
    } catch (error) {
      log.warn({ path: this.#path, err: error }, 'the next start will look at every recording of this day again');
    }
  }
}
