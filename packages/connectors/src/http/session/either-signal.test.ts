import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { eitherSignal } from './either-signal.ts';

describe('a signal of two', () => {
  it.each([0, 1])('aborts with the reason of either', (which) => {
    const both = [new AbortController(), new AbortController()] as const;
    const { signal } = eitherSignal(both[0].signal, both[1].signal);
    expect(signal.aborted).toBe(false);
    both[which]?.abort('first');
    both[1 - which]?.abort('second');
    expect(signal.reason).toBe('first');
  });

  it('is aborted from the start where one of them is', () => {
    expect(eitherSignal(AbortSignal.abort('gone'), new AbortController().signal).signal.reason).toBe('gone');
    expect(eitherSignal(new AbortController().signal, AbortSignal.abort('over')).signal.reason).toBe('over');
  });

  it('leaves nothing behind when it is let go of', () => {
    const long = new AbortController();
    for (let time = 0; time < 100; time++) {
      const { signal, release } = eitherSignal(new AbortController().signal, long.signal);
      release();
      expect(signal.aborted).toBe(false);
    }
    expect(getEventListeners(long.signal, 'abort')).toEqual([]);
  });
});
