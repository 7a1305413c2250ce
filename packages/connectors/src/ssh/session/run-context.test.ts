import { expect, test } from 'vitest';
import { ClientEnvironment } from './run-context.ts';

test('claims about the run are kept, and not passed on', () => {
  const environment = new ClientEnvironment();
  expect(environment.run).toBeUndefined();
  for (const [name, value] of [
    ['SLUICE_RUN', 'run-1'],
    ['SLUICE_INTENT', 'x'.repeat(600)],
    ['TRACEPARENT', '00-a\u0000-b-01'],
  ] as const) {
    expect(environment.set(name, value)).toBe(true);
  }
  expect(environment.run).toEqual({ run: 'run-1', intent: 'x'.repeat(512), traceparent: '00-a\ufffd-b-01' });
  expect([...environment.passed]).toEqual([]);
});

test.each([
  ['LANG', 'de_DE.UTF-8', true],
  ['LC_ALL', 'C', true],
  ['LC_ALL', '() { :; }', false],
  ['LC_ALL', '../../tmp/x', false],
  ['LD_PRELOAD', '/tmp/x.so', false],
  ['PATH', '/tmp', false],
  ['BASH_ENV', '/tmp/x', false],
  ['lc_all', 'C', false],
  ['LC_X=1', 'C', false],
])('the variable %s=%s is passed on: %s', (name, value, passed) => {
  const environment = new ClientEnvironment();
  expect(environment.set(name, value)).toBe(passed);
  expect(environment.passed.size).toBe(passed ? 1 : 0);
});
