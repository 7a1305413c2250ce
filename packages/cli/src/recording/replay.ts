import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReplayItem } from '@sluice/core/recording/replay-reader.ts';

/** Turns a recording into what is written to the viewer, piece by piece. */
export interface Shown {
  text(item: ReplayItem): string;
  /** Behind the last item. */
  end(): string;
}

export interface ReplayOptions {
  /** With the pauses the session had, so many times as fast; without it, everything at once. */
  readonly speed?: number;
  /** Ends the replay. */
  readonly signal?: AbortSignal;
  /** Waits so many milliseconds; for tests. */
  readonly wait?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
}

// A timer holds no more than 2^31 - 1 ms; nobody waits that long, but a crafted recording may ask for it.
const longestWait = 24 * 3600 * 1000;

/** Shows a session in a terminal. Returns how many places could not be read. */
export async function replay(
  items: AsyncIterable<ReplayItem>,
  out: NodeJS.WritableStream,
  shown: Shown,
  options: ReplayOptions,
): Promise<number> {
  const { speed, signal } = options;
  if (speed !== undefined && !(speed > 0)) throw new RangeError('The speed of a replay is a number above 0.');
  const wait = options.wait ?? defaultWait;
  let shownUpTo = 0;
  let unreadable = 0;
  for await (const item of items) {
    if (signal?.aborted) break;
    if (item.kind === 'unreadable') unreadable++;
    else if (speed !== undefined) {
      const { time } = item.entry;
      for (let left = (time - shownUpTo) / 1000 / speed; left >= 1 && !signal?.aborted; left -= longestWait) {
        await wait(Math.min(left, longestWait), signal);
      }
      shownUpTo = Math.max(shownUpTo, time);
      if (signal?.aborted) break;
    }
    await write(out, shown.text(item));
  }
  await write(out, shown.end());
  return unreadable;
}

async function write(out: NodeJS.WritableStream, text: string): Promise<void> {
  if (text !== '' && !out.write(text)) await once(out, 'drain');
}

async function defaultWait(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal ? { signal } : {});
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}
