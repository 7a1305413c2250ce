import { expect, test } from 'vitest';
import { readUserName } from './user-name.ts';

test.each([
  ['web', { target: 'web' }],
  ['ada+web', { target: 'web', user: 'ada' }],
  ['ada+work@example.com+web', { target: 'web', user: 'ada+work@example.com' }],
  ['', undefined],
  ['ada+', undefined],
  ['+web', undefined],
  ['web\n', undefined],
  ['web\u0000', undefined],
  ['\ufffdweb', undefined],
  ['x'.repeat(513), undefined],
])('the user name %j says where, and maybe who', (name, said) => {
  expect(readUserName(name)).toEqual(said);
});
