import { expect, test } from 'vitest';
import { Spread } from './spread.ts';

const three = [{ number: 1 }, { number: 2 }, { number: 3 }];
const addresses = Array.from({ length: 300 }, (_, at) => `10.0.${at >> 8}.${at & 255}`);

test('connections go to one worker after the other', () => {
  const spread = new Spread();
  const turns = three.map(() => spread.next(three)?.number);
  expect(new Set(turns).size).toBe(3);
  expect(three.map(() => spread.next(three)?.number)).toEqual(turns);
  expect(spread.next([])).toBeUndefined();
});

test('an address stays with its worker, and all of them have some', () => {
  const spread = new Spread();
  const first = addresses.map((address) => spread.ofAddress(address, three)?.number);
  expect(addresses.map((address) => spread.ofAddress(address, [...three].reverse())?.number)).toEqual(first);
  for (const { number } of three) expect(first.filter((each) => each === number).length).toBeGreaterThan(50);
});

test('when a worker is gone only its own addresses move, and they come back with it', () => {
  const spread = new Spread();
  const [one, , three3] = three;
  const left = [one, three3].flatMap((each) => each ?? []);
  for (const address of addresses) {
    const usual = spread.ofAddress(address, three)?.number;
    const meanwhile = spread.ofAddress(address, left)?.number;
    if (usual === 2) expect([1, 3]).toContain(meanwhile);
    else expect(meanwhile).toBe(usual);
  }
  expect(spread.ofAddress('10.0.0.1', [])).toBeUndefined();
});
