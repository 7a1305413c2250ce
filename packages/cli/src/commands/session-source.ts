import { existsSync } from 'node:fs';
import { CliError } from '../cli-error.ts';
import type { Context } from '../context.ts';

/** How people name a recording: by its session's id, or as a file on this machine. */
export const sessionOrFile = 'id of the session, or a recording on this machine as a path (*.sluice)';

/** Ids hold neither dots nor slashes, so the two are never confused. */
export function isFile(name: string): boolean {
  return name.includes('/') || name.includes('\\') || name.endsWith('.sluice');
}

/** The recording's bytes. */
export async function recordingBytes({ client }: Context, name: string): Promise<AsyncIterable<Uint8Array>> {
  if (!isFile(name)) return client().recording(name);
  if (!existsSync(name)) throw new CliError('bad_file', `${name}: there is no such file.`);
  const { readRecordingFile } = await import('@sluice/server/recording/read-file.ts');
  return readRecordingFile(name);
}
