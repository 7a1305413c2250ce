import { DeniedError } from '@sluice/core/contract/session.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import { expect, test } from 'vitest';
import { oneLine, shown, told, toldDenial } from './words.ts';

const denial = {
  decision: 'deny',
  reason: 'Not here',
  policies: ['no-rm'],
  hint: 'Ask the operator.',
} as const;

test('a denial is lines for people, one for programs, and an exit status', () => {
  const { text, status } = toldDenial(denial);
  expect(status).toBe(126);
  expect(text.split('\n')).toEqual([
    'sluice: denied by policy no-rm: Not here',
    'sluice: Ask the operator.',
    'sluice: {"decision":"deny","policies":["no-rm"],"request":null,"url":null}',
    '',
  ]);
});

test('what waits for consent fails in another way, with where to look', () => {
  const { text, status } = toldDenial({ ...denial, decision: 'hold', request: 'req_1', url: 'https://x/req_1' });
  expect(status).toBe(75);
  expect(text).toContain('sluice: https://x/req_1\n');
});

test('nothing that steers a terminal gets through in a reason', () => {
  const { text } = toldDenial({ ...denial, reason: 'a\u001b]0;x\u0007b\r\n\u202ec' });
  for (const control of ['\u001b', '\u0007', '\r', '\u202e']) expect(text).not.toContain(control);
  expect(text.split('\n').length).toBe(4);
});

test('an error says its public text only', () => {
  const error = new CoreError('upstream_login', 'upstream', 'It failed.', { detail: 'with secret details' });
  expect(told(error)).toEqual({ text: 'sluice: It failed.\n', status: 255 });
  expect(told(new Error('secret')).text).not.toContain('secret');
  expect(oneLine(new Error('secret'))).not.toContain('secret');
  expect(oneLine(new DeniedError(denial))).toBe('sluice: denied by policy no-rm: Not here Ask the operator.');
});

test('a terminal gets its carriage returns', () => {
  expect(shown('a\nb\n', true).toString()).toBe('a\r\nb\r\n');
  expect(shown('a\nb\n', false).toString()).toBe('a\nb\n');
});
