import { beforeEach, describe, expect, test } from 'vitest';
import { goodFor, LookedAhead } from './looked-ahead.ts';
import { RevocationNews } from './revocation-news.ts';

let now: number;
let news: RevocationNews;
let ahead: LookedAhead<string>;
beforeEach(() => {
  now = 1_000_000;
  news = new RevocationNews();
  ahead = new LookedAhead(news, { now: () => now });
});

describe('what was found ahead', () => {
  test('is given out once', () => {
    ahead.begin().keep('a', 'found');
    expect(ahead.peek('a')).toBe('found');
    expect([ahead.take('a'), ahead.take('a'), ahead.peek('a'), ahead.take('b')]).toEqual([
      'found',
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('is what was found last', () => {
    ahead.begin().keep('a', 'before');
    ahead.begin().keep('a', 'after');
    expect(ahead.take('a')).toBe('after');
  });

  test.each([
    ['is good for a moment', goodFor, true],
    ['is not good for longer', goodFor + 1, false],
    ['is not good where the clock was set back', -1, false],
  ])('%s', (_, later, good) => {
    ahead.begin().keep('a', 'found');
    now += later;
    expect(ahead.take('a')).toBe(good ? 'found' : undefined);
  });

  test('counts from when the store was asked, not from its answer', () => {
    const asked = ahead.begin();
    now += goodFor + 1;
    asked.keep('a', 'late');
    expect(ahead.take('a')).toBeUndefined();
  });

  test('is void with the next revocation, also one heard of before the answer came', () => {
    ahead.begin().keep('a', 'found');
    const asked = ahead.begin();
    news.heard();
    asked.keep('b', 'asked before');
    expect([ahead.take('a'), ahead.take('b')]).toEqual([undefined, undefined]);
    ahead.begin().keep('a', 'found again');
    expect(ahead.take('a')).toBe('found again');
  });

  test('is kept for a thousand at most', () => {
    for (let n = 0; n <= 1_000; n++) ahead.begin().keep(`id ${n}`, `${n}`);
    expect([ahead.take('id 0'), ahead.take('id 1'), ahead.take('id 1000')]).toEqual([undefined, '1', '1000']);
  });
});
