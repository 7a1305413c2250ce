import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const cleaning = new Set<() => void>();

// A benchmark that is ended, by whom and for what reason ever, leaves neither servers nor gigabytes of recordings behind.
process.once('exit', () => {
  for (const clean of [...cleaning].reverse()) clean();
});

/** Has this done when the process ends; what is returned takes it back. It must not throw and can't wait. */
export function atExit(clean: () => void): () => void {
  cleaning.add(clean);
  return () => void cleaning.delete(clean);
}

export interface Scratch {
  readonly path: string;
  remove(): Promise<void>;
}

/** A new folder for temporary files. */
export async function scratchFolder(name: string): Promise<Scratch> {
  const path = await mkdtemp(join(tmpdir(), `sluice-bench-${name}-`));
  const forget = atExit(() => rmSync(path, { recursive: true, force: true }));
  return {
    path,
    remove: async () => {
      await rm(path, { recursive: true, force: true });
      forget();
    },
  };
}
