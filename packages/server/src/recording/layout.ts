import { type Dirent, lstatSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isSessionId } from '@sluice/core/recording/format.ts';

/** A recording on disk. */
export interface RecordingPath {
  readonly session: string;
  readonly path: string;
}

export const suffix = '.sluice';
/** Sessions of the gateway's own journal; ids of client sessions never start like this. */
export const journalPrefix = 'gateway-';

export function recordingsDirectory(dataDir: string): string {
  return join(dataDir, 'recordings');
}

/** `<data_dir>/recordings/<yyyy>/<mm>/<dd>`, by the day (UTC) on which the session started. */
export function dayDirectory(dataDir: string, startedAt: number): string {
  const [year = '', month = '', day = ''] = new Date(startedAt).toISOString().slice(0, 10).split('-');
  return join(recordingsDirectory(dataDir), year, month, day);
}

export function recordingPath(dataDir: string, session: string, startedAt: number): string {
  return join(dayDirectory(dataDir, startedAt), `${session}${suffix}`);
}

/** Days that have recordings, newest first. */
export async function dayDirectories(dataDir: string): Promise<string[]> {
  const days: string[] = [];
  const root = recordingsDirectory(dataDir);
  for (const year of await numbered(root, /^\d{4}$/)) {
    for (const month of await numbered(join(root, year), /^\d\d$/)) {
      for (const day of await numbered(join(root, year, month), /^\d\d$/)) days.push(join(root, year, month, day));
    }
  }
  return days;
}

async function numbered(directory: string, form: RegExp): Promise<string[]> {
  const entries = await entriesOf(directory);
  return entries
    .filter((entry) => entry.isDirectory() && form.test(entry.name))
    .map((entry) => entry.name)
    .sort()
    .reverse();
}

/** The recordings of one day, by session id. */
export async function recordingsIn(directory: string): Promise<RecordingPath[]> {
  const found: RecordingPath[] = [];
  for (const entry of await entriesOf(directory)) {
    const session = entry.name.slice(0, -suffix.length);
    if (!entry.isFile() || !entry.name.endsWith(suffix) || !isSessionId(session)) continue;
    found.push({ session, path: join(directory, entry.name) });
  }
  return found.sort((a, b) => (a.session < b.session ? -1 : 1));
}

async function entriesOf(directory: string): Promise<Dirent[]> {
  try {
    return await readdir(directory, { withFileTypes: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Looks through the days for a session's recording; undefined for an id that has none or is no session id. */
export async function findRecording(dataDir: string, session: string): Promise<string | undefined> {
  // The id goes into a path: only what can't lead elsewhere may.
  if (!isSessionId(session)) return undefined;
  for (const directory of await dayDirectories(dataDir)) {
    const path = join(directory, `${session}${suffix}`);
    if (lstatSync(path, { throwIfNoEntry: false })?.isFile()) return path;
  }
  return undefined;
}
