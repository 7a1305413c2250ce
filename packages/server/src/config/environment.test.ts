import { expect, test } from 'vitest';
import { logLevel } from './environment.ts';

test.each([
  [{}, 'info'],
  [{ SLUICE_LOG_LEVEL: 'debug' }, 'debug'],
  [{ SLUICE_LOG_LEVEL: 'WARN' }, 'warn'],
  [{ SLUICE_LOG_LEVEL: 'loud' }, 'info'],
])('%j logs from %s', (variables, level) => {
  expect(logLevel({ variables })).toBe(level);
});
