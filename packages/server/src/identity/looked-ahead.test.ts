import { beforeEach, describe, expect, test } from 'vitest';
import { goodFor, LookedAhead } from './looked-ahead.ts';
import { RevocationNews } from './revocation-news.ts';

let now: number;
let news: RevocationNews;
let ahead: LookedAhead<Promise<string>>;
beforeEach(() => {
  now = 1_000_000;
  news = new RevocationNews();
  ahead = new LookedAhead(news, { now: () => now });
});

const [one, another] = [Promise.resolve('one'), Promise.resolve('another')];

describe('what the store was asked ahead', () => {
  test('is given out once', () => {
    ahead.keep('a', one);
    expect(ahead.peek('a')).toBe(one);
    expect(ahead.take('a')).toBe(one);
    expect([ahead.take('a'), ahead.peek('a'), ahead.take('b')]).toEqual([undefined, undefined, undefined]);
  });

  test('is what it was asked last', () => {
    ahead.keep('a', one);
    ahead.keep('a', another);
    expect(ahead.take('a')).toBe(another);
  });

  test.each([
    ['is good for a moment', goodFor, true],
    ['is not good for longer', goodFor + 1, false],
    ['is not good where the clock was set back', -1, false],
  ])('%s', (_, later, good) => {
    ahead.keep('a', one);
    now += later;
    expect(ahead.take('a')).toBe(good ? one : undefined);
  });

  test('is void with the next revocation', () => {
    ahead.keep('a', one);
    news.heard();
    expect(ahead.take('a')).toBeUndefined();
    ahead.keep('a', another);
    expect(ahead.take('a')).toBe(another);
  });

  test('is kept for a thousand at most', () => {
    for (let n = 0; n <= 1_000; n++) ahead.keep(`id ${n}`, one);
    expect([ahead.take('id 0'), ahead.take('id 1'), ahead.take('id 1000')]).toEqual([undefined, one, one]);
  });
});
