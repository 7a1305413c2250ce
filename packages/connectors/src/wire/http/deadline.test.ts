import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Deadline } from './deadline.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a deadline', () => {
  test('is met once, when the last that was set is due', () => {
    const deadline = new Deadline();
    const [first, second] = [vi.fn(), vi.fn()];
    deadline.set(100, first);
    vi.advanceTimersByTime(60);
    deadline.set(100, second);
    vi.advanceTimersByTime(99);
    expect(second).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(second).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1_000);
    expect(second).toHaveBeenCalledTimes(1);
    expect(first).not.toHaveBeenCalled();
  });

  test('can come earlier than one that was set before', () => {
    const deadline = new Deadline();
    const [late, early] = [vi.fn(), vi.fn()];
    deadline.set(1_000, late);
    deadline.set(10, early);
    vi.advanceTimersByTime(10);
    expect(early).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(2_000);
    expect(late).not.toHaveBeenCalled();
  });

  test('that was lifted is not met, and can be set again', () => {
    const deadline = new Deadline();
    const met = vi.fn();
    deadline.set(10, met);
    deadline.lift();
    vi.advanceTimersByTime(100);
    expect(met).not.toHaveBeenCalled();
    deadline.set(10, met);
    vi.advanceTimersByTime(10);
    expect(met).toHaveBeenCalledTimes(1);
  });

  test('keeps to no more than one timer, and to none when it is stopped', () => {
    const deadline = new Deadline();
    for (let n = 0; n < 100; n++) {
      deadline.set(10_000, () => {});
      deadline.lift();
      deadline.set(75_000, () => {});
    }
    expect(vi.getTimerCount()).toBe(1);
    deadline.stop();
    expect(vi.getTimerCount()).toBe(0);
  });
});
