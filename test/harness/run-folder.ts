// What one run of the tests keeps for all of its files, whichever process they run in: a folder that is there while the
// run lasts. It knows nothing of what is kept in it; who needs a thing makes it, and leaves it there for the next.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const variable = 'SLUICE_TEST_RUN_FOLDER';

/** Undefined outside of a run, as in a program that uses the harness by itself. */
export function runFolder(): string | undefined {
  return process.env[variable];
}

/** Called by vitest for each project before its first test, in the process whose environment all others inherit. */
export default function setup(): (() => void) | undefined {
  if (runFolder() !== undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'sluice-test-run-'));
  process.env[variable] = folder;
  return () => {
    delete process.env[variable];
    rmSync(folder, { recursive: true, force: true });
  };
}
