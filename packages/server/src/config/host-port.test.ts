import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatHostPort, isLoopbackHost, parseHostPort } from './host-port.ts';

describe('host:port', () => {
  test.each([
    ['127.0.0.1:5432', { host: '127.0.0.1', port: 5432 }],
    ['[::1]:0', { host: '::1', port: 0 }],
    ['db:1', { host: 'db', port: 1 }],
    ['my_db.internal.:65535', { host: 'my_db.internal.', port: 65535 }],
  ])('%s is read', (text, expected) => {
    expect(parseHostPort(text, { zero: true })).toEqual(expected);
  });

  test.each([
    '',
    ':',
    'db',
    'db:',
    ':5432',
    'db:port',
    'db:-1',
    'db:65536',
    'db:1 ',
    ' db:1',
    'a b:1',
    '::1:5432',
    '[::1]',
    '[db]:1',
    '[127.0.0.1]:1',
    '1.2.3:1',
    '256.1.1.1:1',
    '-db:1',
    'db..x:1',
    'postgres://db:1',
    'db:1/x',
    'user@db:1',
    'db:１',
  ])('%j is refused', (text) => {
    expect(parseHostPort(text, { zero: true })).toHaveProperty('error');
  });

  test('whatever is read is written the same way', () => {
    const hosts = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain());
    fc.assert(
      fc.property(hosts, fc.nat(65535), (host, port) => {
        const parsed = parseHostPort(formatHostPort({ host, port }), { zero: true });
        expect(parsed).toEqual({ host, port });
      }),
    );
  });

  test('whatever is sent is read or refused', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const parsed = parseHostPort(text, { zero: false });
        if ('error' in parsed) expect(parsed.error).not.toBe('');
        else expect(formatHostPort(parsed)).toBe(text.replace(/:0*(\d+)$/, ':$1'));
      }),
    );
  });
});

test.each([
  ['localhost', true],
  ['LOCALHOST', true],
  ['127.0.0.1', true],
  ['127.255.0.3', true],
  ['::1', true],
  ['[::1]', true],
  ['0.0.0.0', false],
  ['::', false],
  ['10.0.0.1', false],
  ['127.0.0.1.example.com', false],
  ['localhost.example.com', false],
  ['127.1', false],
])('%s is loopback: %s', (host, expected) => {
  expect(isLoopbackHost(host)).toBe(expected);
});
