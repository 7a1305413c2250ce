import type { Inflater } from '@sluice/core/recording/ports.ts';
import { readRecording } from '@sluice/core/recording/replay-reader.ts';
import { dayDirectories, journalPrefix, type RecordingPath, recordingsIn } from './layout.ts';
import { readRecordingFile } from './read-file.ts';

/** Every journal, newest first: their ids begin with the time of their start. */
export async function journals(dataDir: string): Promise<RecordingPath[]> {
  const found: RecordingPath[] = [];
  for (const directory of await dayDirectories(dataDir)) {
    const files = await recordingsIn(directory);
    found.push(...files.filter(({ session }) => session.startsWith(journalPrefix)));
  }
  return found.sort((a, b) => (a.session < b.session ? 1 : -1));
}

/**
 * What the journals say about these sessions: the head under which each was sealed. Reads backwards in time until each
 * session's opening was met, which is one journal as a rule.
 */
export async function journalHeads(
  dataDir: string,
  sessions: ReadonlySet<string>,
  inflater: Inflater,
): Promise<Map<string, string>> {
  const heads = new Map<string, string>();
  const open = new Set(sessions);
  for (const { path } of await journals(dataDir)) {
    if (open.size === 0) break;
    for await (const item of readRecording(readRecordingFile(path), inflater)) {
      if (item.kind !== 'entry' || item.entry.event.type !== 'event') continue;
      const { name, detail } = item.entry.event;
      const session = String(detail['session'] ?? '');
      if (!sessions.has(session)) continue;
      if (name === 'session.opened') open.delete(session);
      if (name === 'session.sealed' || name === 'recording.recovered') heads.set(session, String(detail['head']));
    }
  }
  return heads;
}
