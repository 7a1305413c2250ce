import { expect, test } from 'vitest';
import { formatPolicyError } from '../error.ts';
import { ask, declarations, enforce } from '../fixtures.ts';
import { loadPolicies } from '../load.ts';
import { maxDepth, maxOperators } from './bounds.ts';

const policy = (condition: string): string => `@id("a") permit (principal, action, resource) when { ${condition} };`;

function errorsOf(condition: string): string[] {
  const loaded = loadPolicies([{ path: 'a.cedar', text: policy(condition) }], [declarations]);
  return loaded.ok ? [] : loaded.errors.map(formatPolicyError);
}

const chain = (operator: string, count: number): string => Array(count).fill('context.secure').join(` ${operator} `);
const ifs = (count: number): string => `${'if context.secure then '.repeat(count)}true${' else true'.repeat(count)}`;

/** One level is the condition's own braces, one operator its `when`. */
test.each<[string, (size: number) => string, number]>([
  ['parentheses', (size) => `${'('.repeat(size)}context.secure${')'.repeat(size)}`, maxDepth - 1],
  ['sets', (size) => `!(${'['.repeat(size - 1)}context.secure${']'.repeat(size - 1)}.isEmpty())`, maxDepth - 1],
  ['records', (size) => `${'{a: '.repeat(size)}context.secure${'}'.repeat(size)} has a`, maxDepth - 1],
  ['and', (size) => chain('&&', size), maxOperators],
  ['or', (size) => chain('||', size), maxOperators],
  ['sums', (size) => `${Array(size).fill('1').join(' + ')} == ${size}`, maxOperators],
  ['products', (size) => `${Array(size).fill('1').join(' * ')} == 1`, maxOperators],
  ['if', (size) => ifs(size), maxOperators - 1],
  ['conditions', (size) => `true } ${'when { context.secure } '.repeat(size - 1)} when { true`, maxOperators - 1],
])('what is within bounds is loaded and evaluated, what is beyond is refused: %s', (_, make, most) => {
  expect(enforce(policy(make(most)), { keep: 0 }).decide(ask('sql:select')).effect).toBe('allow');
  for (const size of [most + 1, 1000, 20_000])
    expect(errorsOf(make(size))).toEqual([expect.stringMatching(/more than \d+/)]);
  // The engine is unharmed.
  expect(enforce(policy('context.secure')).decide(ask('sql:select')).effect).toBe('allow');
});

test('a long path of dots or calls is refused before the engine sees it', () => {
  expect(errorsOf(`context${'.secure'.repeat(maxOperators)}`).join()).toContain('unexpected type');
  expect(errorsOf(`context${'.secure'.repeat(20_000)}`)).toEqual([expect.stringContaining('operators')]);
  const later = (size: number): string =>
    `context.now${'.offset(duration("1s"))'.repeat(size)} > datetime("2026-01-01")`;
  expect(enforce(policy(later(maxOperators - 1))).decide(ask('sql:select')).effect).toBe('allow');
  expect(errorsOf(later(maxOperators + 1))).toEqual([expect.stringContaining('operators')]);
});

test('what is merely long is fine: strings, sets and groups', () => {
  const set = Array.from({ length: 5000 }, (_, index) => `"t${index}"`).join(', ');
  const groups = Array.from({ length: 5000 }, (_, index) => `Group::"g${index}"`).join(', ');
  const text = `${policy(`![${set}].contains("((((((((((((((((((((((((((((") || principal in [${groups}]`)}`;
  expect(enforce(text).decide(ask('sql:select')).effect).toBe('allow');
});
