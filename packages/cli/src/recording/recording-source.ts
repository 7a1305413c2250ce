/**
 * Recordings for people at a terminal: reading them from files, replaying, exporting and verifying them. All of it works
 * on bytes and public keys alone; nothing here talks to a gateway, and nothing prints text from a recording as it is.
 */
import type { ReplayItem } from '@sluice/core/recording/replay-reader.ts';
import { readRecording } from '@sluice/core/recording/replay-reader.ts';
import { inflater } from '@sluice/server/crypto/deflate.ts';
import { readRecordingFile } from '@sluice/server/recording/read-file.ts';

/** The events in these bytes, be they from a file or from the API. */
export function eventsOf(bytes: AsyncIterable<Uint8Array>): AsyncIterable<ReplayItem> {
  return readRecording(bytes, inflater);
}

export function eventsOfFile(path: string): AsyncIterable<ReplayItem> {
  return eventsOf(readRecordingFile(path));
}
