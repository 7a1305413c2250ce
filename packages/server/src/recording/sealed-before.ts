import type { Inflater } from '@sluice/core/recording/ports.ts';
import { readRecording } from '@sluice/core/recording/replay-reader.ts';
import { dayDirectories, journalPrefix, type RecordingPath, recordingsIn } from './layout.ts';
import { readRecordingFile } from './read-file.ts';

/** Every journal, the last one first. Their links give the order; the clock may have been set back between starts. */
export async function journals(dataDir: string, inflater: Inflater): Promise<RecordingPath[]> {
  const all = new Map<string, RecordingPath>();
  for (const directory of await dayDirectories(dataDir)) {
    for (const file of await recordingsIn(directory)) {
      if (file.session.startsWith(journalPrefix)) all.set(file.session, file);
    }
  }
  const previous = new Map<string, string>();
  for (const { session, path } of all.values()) {
    const before = await continuedFrom(path, inflater);
    if (before !== undefined) previous.set(session, before);
  }
  const continued = new Set(previous.values());
  const byName = [...all.keys()].sort().reverse();
  const ordered = new Set<string>();
  for (const start of [...byName.filter((session) => !continued.has(session)), ...byName]) {
    for (let at: string | undefined = start; at !== undefined && !ordered.has(at); at = previous.get(at)) {
      if (!all.has(at)) break;
      ordered.add(at);
    }
  }
  return [...ordered].flatMap((session) => all.get(session) ?? []);
}

/** The journal that this one names as the one before it: the event behind its header says so. */
async function continuedFrom(path: string, inflater: Inflater): Promise<string | undefined> {
  for await (const item of readRecording(readRecordingFile(path), inflater)) {
    if (item.kind !== 'entry' || item.entry.number > 1) return undefined;
    const { event } = item.entry;
    if (event.type !== 'event' || event.name !== 'journal.continued') continue;
    return String(event.detail['previous'] ?? '');
  }
  return undefined;
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
  for (const { path } of await journals(dataDir, inflater)) {
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

/** Sessions that a journal saw opened, and of whose recordings it doesn't know the end. */
export async function leftOpenIn(journal: string, inflater: Inflater): Promise<ReadonlySet<string>> {
  const open = new Set<string>();
  for await (const item of readRecording(readRecordingFile(journal), inflater)) {
    if (item.kind !== 'entry' || item.entry.event.type !== 'event') continue;
    const { name, detail } = item.entry.event;
    const session = String(detail['session'] ?? '');
    if (name === 'session.opened') open.add(session);
    if (name === 'session.sealed' || name === 'recording.recovered' || name === 'recording.unreadable') {
      open.delete(session);
    }
  }
  return open;
}
