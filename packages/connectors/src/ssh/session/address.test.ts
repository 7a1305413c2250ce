import { expect, test } from 'vitest';
import { hostOf } from './address.ts';

test.each([
  ['db.internal', 'db.internal'],
  ['DB.Internal.', 'db.internal'],
  ['db_1.internal', 'db_1.internal'],
  ['127.0.0.1', '127.0.0.1'],
  ['127.1', '127.0.0.1'],
  ['0177.0.0.01', '127.0.0.1'],
  ['0x7f000001', '127.0.0.1'],
  ['2130706433', '127.0.0.1'],
  ['127.0.0.1.', '127.0.0.1'],
  ['::1', '::1'],
  ['0:0:0:0:0:0:0:1', '::1'],
  ['::FFFF:127.0.0.1', '127.0.0.1'],
  ['::ffff:7f00:1', '127.0.0.1'],
  ['fe80::1%eth0', 'fe80::1%eth0'],
  ['::1%lo', undefined],
  ['::ffff:127.0.0.1%lo', undefined],
  ['256.256.256.256', undefined],
  ['1.2.3.4.5', undefined],
  ['a%62', undefined],
  ['a/b', undefined],
  ['a@b', undefined],
  ['', undefined],
  ['.', undefined],
  ['x\u0131', undefined],
])('the host %j is %j', (said, host) => {
  expect(hostOf(said)).toBe(host);
});
