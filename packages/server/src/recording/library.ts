import { JsonEvents } from '@sluice/core/recording/json-lines.ts';
import type { Inflater } from '@sluice/core/recording/ports.ts';
import { readRecording } from '@sluice/core/recording/replay-reader.ts';
import { dayDirectories, findRecording, journalPrefix, type RecordingPath, recordingsIn } from './layout.ts';
import { readRecordingFile } from './read-file.ts';

/** The recordings on disk, to be read by session id. Who may read them is not decided here. */
export class RecordingLibrary {
  readonly #dataDir: string;
  readonly #inflater: Inflater;

  constructor(dataDir: string, inflater: Inflater) {
    this.#dataDir = dataDir;
    this.#inflater = inflater;
  }

  /** Path of a session's recording; undefined when there is none, and for anything that is no session id. */
  find(session: string): Promise<string | undefined> {
    return findRecording(this.#dataDir, session);
  }

  /** Every recording of a client session, newest day first. */
  async *list(): AsyncGenerator<RecordingPath> {
    for (const directory of await dayDirectories(this.#dataDir)) {
      for (const file of await recordingsIn(directory)) if (!file.session.startsWith(journalPrefix)) yield file;
    }
  }

  /** The file's bytes as they are now; undefined for a session without a recording. */
  async open(session: string): Promise<AsyncIterable<Uint8Array> | undefined> {
    const path = await this.find(session);
    return path === undefined ? undefined : readRecordingFile(path);
  }

  /** The events as objects for JSON, as in the export; none for a session without a recording. */
  async *events(session: string): AsyncGenerator<object> {
    const bytes = await this.open(session);
    if (!bytes) return;
    const json = new JsonEvents();
    for await (const item of readRecording(bytes, this.#inflater)) yield json.item(item);
  }
}
