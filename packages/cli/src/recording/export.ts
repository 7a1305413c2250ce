import { once } from 'node:events';
import { JsonEvents } from '@sluice/core/recording/json-lines.ts';
import type { ReplayItem } from '@sluice/core/recording/replay-reader.ts';
import { safeJson } from '../terminal/visible.ts';

/** One line of JSON per event. Also harmless on a terminal: what could steer it is escaped, for a parser it is the same. */
export async function exportJsonLines(items: AsyncIterable<ReplayItem>, out: NodeJS.WritableStream): Promise<void> {
  const json = new JsonEvents();
  for await (const item of items) {
    if (!out.write(`${safeJson(json.item(item))}\n`)) await once(out, 'drain');
  }
}
