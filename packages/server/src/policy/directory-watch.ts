import { type FSWatcher, watch } from 'node:fs';

/**
 * Tells when something changes in any of some directories. Watching directories rather than files also sees files that
 * editors replace by renaming, and the links that a mounted configuration is swapped with.
 */
export class DirectoryWatch {
  readonly #onEvent: () => void;
  readonly #onError: (directory: string, error: unknown) => void;
  #watchers: FSWatcher[] = [];

  /** `onError` is told of directories that can't be watched; they are left out. */
  constructor(onEvent: () => void, onError: (directory: string, error: unknown) => void) {
    this.#onEvent = onEvent;
    this.#onError = onError;
  }

  /** Replaces what is watched; opened anew each time, for a watch stays with a directory that was replaced. */
  follow(directories: readonly string[]): void {
    const before = this.#watchers;
    this.#watchers = directories.flatMap((directory) => this.#open(directory) ?? []);
    for (const watcher of before) watcher.close();
  }

  close(): void {
    this.follow([]);
  }

  #open(directory: string): FSWatcher | undefined {
    try {
      const watcher = watch(directory, { persistent: false }, () => this.#onEvent());
      watcher.on('error', (error) => {
        watcher.close();
        this.#onError(directory, error);
        this.#onEvent();
      });
      return watcher;
    } catch (error) {
      this.#onError(directory, error);
      return undefined;
    }
  }
}
