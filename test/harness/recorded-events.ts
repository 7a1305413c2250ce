import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { JsonEvents } from '@sluice/core/recording/json-lines.ts';
import { readRecording } from '@sluice/core/recording/replay-reader.ts';
import { inflater } from '@sluice/server/crypto/deflate.ts';
import { readRecordingFile } from '@sluice/server/recording/read-file.ts';

export type RecordedEvent = Readonly<Record<string, unknown>>;

/** The events of one recording as its export has them. Throws for one that cannot be read to its end. */
export async function recordedEvents(path: string): Promise<RecordedEvent[]> {
  const json = new JsonEvents();
  const events: RecordedEvent[] = [];
  for await (const item of readRecording(readRecordingFile(path), inflater)) {
    if (item.kind !== 'entry') throw new Error(`${path} cannot be read: ${JSON.stringify(json.item(item))}`);
    events.push(json.item(item) as RecordedEvent);
  }
  return events;
}

/** Paths of all recordings of client sessions under a data directory. */
export async function sessionRecordings(dataDir: string): Promise<string[]> {
  const root = join(dataDir, 'recordings');
  const names = await readdir(root, { recursive: true });
  return names.filter((name) => /(^|\/)ses_[^/]*\.sluice$/.test(name)).map((name) => join(root, name));
}

/**
 * Texts that were recorded as sent on, in order: of each Query, and of each Execute the statement that its Bind named.
 * What was refused is left out.
 */
export function sentTexts(events: readonly RecordedEvent[]): string[] {
  const bound = new Map<unknown, string>();
  const texts: string[] = [];
  for (const event of events) {
    if (event['type'] !== 'action' || event['effect'] !== 'allow') continue;
    const text = (event['text'] as string[]).join('; ');
    if (event['name'] === 'Bind') bound.set(event['unit'], text);
    if (event['name'] === 'Query') texts.push(text);
    if (event['name'] === 'Execute') texts.push(bound.get(event['continues']) ?? '');
  }
  return texts;
}
