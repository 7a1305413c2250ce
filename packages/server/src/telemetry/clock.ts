import type { Clock } from '@sluice/core/contract/clock.ts';

/** Longest delay of Node's timers; a longer one would fire at once. */
const longest = 2_147_483_647;

export const systemClock: Clock = {
  now: Date.now,
  after(ms, callback) {
    const due = Date.now() + ms;
    let timer: NodeJS.Timeout;
    const arm = (): void => {
      const left = due - Date.now();
      timer = setTimeout(() => (left > longest ? arm() : callback()), Math.min(Math.max(0, left), longest));
      timer.unref();
    };
    arm();
    return () => clearTimeout(timer);
  },
};
