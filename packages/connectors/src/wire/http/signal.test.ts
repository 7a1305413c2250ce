import { describe, expect, test, vi } from 'vitest';
import { Alarm, abortSignal } from './signal.ts';

describe('an alarm', () => {
  test('is heard once, by those who still listen', () => {
    const alarm = new Alarm();
    const [heard, left] = [vi.fn(), vi.fn()];
    alarm.addEventListener('abort', heard);
    alarm.addEventListener('abort', left);
    alarm.removeEventListener('abort', left);
    expect(alarm.aborted).toBe(false);
    alarm.abort(new Error('first'));
    alarm.abort(new Error('second'));
    expect(heard).toHaveBeenCalledTimes(1);
    expect(left).not.toHaveBeenCalled();
    expect(alarm).toMatchObject({ aborted: true, reason: { message: 'first' } });
  });

  test('that has gone off already is not heard, as one of Node’s', () => {
    const heard = vi.fn();
    const alarm = new Alarm();
    const controller = new AbortController();
    for (const signal of [alarm, controller.signal]) {
      if (signal === alarm) alarm.abort();
      else controller.abort();
      signal.addEventListener('abort', heard);
    }
    expect(heard).not.toHaveBeenCalled();
  });

  test('is one of Node’s to who needs one', () => {
    const alarm = new Alarm();
    const before = abortSignal(alarm);
    alarm.abort(new Error('left'));
    expect(before.reason).toMatchObject({ message: 'left' });
    expect(abortSignal(alarm).reason).toMatchObject({ message: 'left' });
  });
});
