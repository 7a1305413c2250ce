import { expect, test } from 'vitest';
import { type Goal, judge, tellGoal } from './goal.ts';

const sluice = { who: 'Sluice', samples: [11, 12, 13] };
const peer = { who: 'PgBouncer', samples: [10, 10, 10] };
const latency: Goal = { of: 'Sluice', to: 'PgBouncer', at: 'most', bound: 1.1 };
const throughput: Goal = { of: 'Sluice', to: 'PgBouncer', at: 'least', bound: 0.8 };

test('a goal is held to the median of the ratios', () => {
  expect(judge(latency, [sluice, peer])).toMatchObject({ value: 1.2, spread: [1.1, 1.3], reached: false });
  expect(judge(throughput, [sluice, peer])).toMatchObject({ value: 1.2, reached: true, score: expect.closeTo(1.5) });
});

test('a goal that is met exactly is reached', () => {
  expect(judge({ ...latency, bound: 1.2 }, [sluice, peer])).toMatchObject({ reached: true, score: 1 });
});

test('a goal without a peer is held to the samples themselves', () => {
  const goal: Goal = { of: 'Sluice', at: 'most', bound: 24 };
  expect(judge(goal, [sluice])).toMatchObject({ value: 12, reached: true, score: 2 });
  expect(tellGoal(goal, 'KiB')).toBe('≤ 24 KiB');
});

test('nobody is compared with who was not there', () => {
  expect(judge(latency, [sluice])).toBeUndefined();
  expect(judge(latency, [peer])).toBeUndefined();
  expect(judge(latency, [sluice, { who: 'PgBouncer', samples: [] }])).toBeUndefined();
});

test('goals are told with their sign and their peer', () => {
  expect(tellGoal(latency, 'ms')).toBe('≤ 1.10 × PgBouncer');
  expect(tellGoal(throughput, '/s')).toBe('≥ 0.80 × PgBouncer');
});
