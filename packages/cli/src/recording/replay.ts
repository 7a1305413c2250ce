import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReplayItem } from '@sluice/core/recording/replay-reader.ts';
import pc from 'picocolors';
import { Transcript } from './transcript.ts';

export interface ReplayOptions {
  /** 2 is twice as fast; 1 by default. */
  readonly speed?: number;
  /** Everything at once. */
  readonly noWait?: boolean;
  readonly color: boolean;
  /** Ends the replay. */
  readonly signal?: AbortSignal;
  /** Waits so many milliseconds; for tests. */
  readonly wait?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
}

// A timer holds no more than 2^31 - 1 ms; nobody waits that long, but a crafted recording may ask for it.
const longestWait = 24 * 3600 * 1000;

/** Shows a session in a terminal, with the pauses it had. Returns how many places could not be read. */
export async function replay(
  items: AsyncIterable<ReplayItem>,
  out: NodeJS.WritableStream,
  options: ReplayOptions,
): Promise<number> {
  const { speed = 1, noWait = false, signal } = options;
  if (!(speed > 0)) throw new RangeError('The speed of a replay is a number above 0.');
  const wait = options.wait ?? defaultWait;
  const transcript = new Transcript(pc.createColors(options.color));
  let shownUpTo = 0;
  let unreadable = 0;
  for await (const item of items) {
    if (signal?.aborted) break;
    if (item.kind === 'unreadable') unreadable++;
    else if (!noWait) {
      const { time } = item.entry;
      for (let left = (time - shownUpTo) / 1000 / speed; left >= 1 && !signal?.aborted; left -= longestWait) {
        await wait(Math.min(left, longestWait), signal);
      }
      shownUpTo = Math.max(shownUpTo, time);
      if (signal?.aborted) break;
    }
    const lines = transcript.lines(item);
    if (lines.length > 0 && !out.write(`${lines.join('\n')}\n`)) await once(out, 'drain');
  }
  return unreadable;
}

async function defaultWait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal ? { signal } : {});
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}
