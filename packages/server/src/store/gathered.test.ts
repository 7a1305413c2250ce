import { beforeEach, describe, expect, test, vi } from 'vitest';
import { Gathered } from './gathered.ts';

let lots: (readonly string[])[];
let answers: { resolve(): void; reject(error: Error): void }[];
beforeEach(() => {
  lots = [];
  answers = [];
});

/** Waits to be told of each lot how it went. */
function gathered(pause: number): Gathered<string> {
  return new Gathered(pause, (items) => {
    lots.push(items);
    return new Promise((resolve, reject) => answers.push({ resolve, reject }));
  });
}

const next = () => vi.waitFor(() => answers.shift() ?? Promise.reject(new Error('nothing is written')));

describe('gathered writes', () => {
  test('begin at once, and go together while one is on its way', async () => {
    const writes = gathered(0);
    const first = writes.add('a');
    const rest = ['b', 'c'].map((each) => writes.add(each));
    expect(lots).toEqual([['a']]);
    (await next()).resolve();
    await first;
    (await next()).resolve();
    await Promise.all(rest);
    expect(lots).toEqual([['a'], ['b', 'c']]);
  });

  test('wait for the pause after the one before, unless somebody wants to know', async () => {
    const writes = gathered(3_600_000);
    const first = writes.add('a');
    (await next()).resolve();
    await first;
    const second = writes.add('b');
    const third = writes.add('c');
    expect(lots).toHaveLength(1);
    const flushed = writes.flush();
    (await next()).resolve();
    await Promise.all([second, third, flushed]);
    expect(lots).toEqual([['a'], ['b', 'c']]);
  });

  test('are all there after a flush that comes while one is on its way', async () => {
    const writes = gathered(3_600_000);
    void writes.add('a');
    void writes.add('b');
    const flushed = writes.flush();
    (await next()).resolve();
    (await next()).resolve();
    await flushed;
    expect(lots).toEqual([['a'], ['b']]);
  });

  test('are tried one by one when a lot fails, so that each fails for itself', async () => {
    const writes = gathered(0);
    void writes.add('first');
    const [good, bad] = [writes.add('good'), writes.add('bad')];
    bad.catch(() => {});
    (await next()).resolve();
    (await next()).reject(new Error('one of them'));
    (await next()).resolve();
    (await next()).reject(new Error('this one'));
    await good;
    await expect(bad).rejects.toThrow('this one');
    expect(lots.slice(1)).toEqual([['good', 'bad'], ['good'], ['bad']]);
    await writes.flush();
  });

  test('are no more than five hundred in a lot', async () => {
    const writes = gathered(0);
    const all = Array.from({ length: 502 }, (_, n) => writes.add(`${n}`));
    for (let lot = 0; lot < 3; lot++) (await next()).resolve();
    await Promise.all(all);
    expect(lots.map(({ length }) => length)).toEqual([1, 500, 1]);
  });
});
