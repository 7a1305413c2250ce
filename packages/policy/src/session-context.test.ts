import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ask, enforce, facts } from './fixtures.ts';
import { ipAddress } from './session-context.ts';

test.each([
  ['10.0.0.1', '10.0.0.1'],
  ['10.0.0.1:5432', '10.0.0.1'],
  ['[2001:db8::1]:5432', '2001:db8::1'],
  ['[::1]', '::1'],
  ['2001:db8::1', '2001:db8::1'],
  ['::ffff:10.0.0.1', '10.0.0.1'],
  ['[::FFFF:10.0.0.1]:5432', '10.0.0.1'],
  ['0:0:0:0:0:ffff:10.0.0.1', '10.0.0.1'],
  ['::ffff:a00:1', '10.0.0.1'],
  ['[fe80::1%eth0]:5432', 'fe80::1'],
  ['010.0.0.1', undefined],
  ['10.0.0.256', undefined],
  ['10.0.0.1/8', undefined],
  ['2001:db8::1::2', undefined],
  ['1:2:3:4:5:6:7', undefined],
  ['localhost:5432', undefined],
  ['', undefined],
])('the address in %j is %j', (remote, address) => {
  expect(ipAddress(remote)).toBe(address);
});

const anyAddress =
  '@id("a") permit (principal, action, resource) when { context has client_address && context.client_address.isIpv4() };';

test('whatever the address looks like, the engine never stumbles over it', () => {
  const faults: string[] = [];
  const policies = enforce(anyAddress, { onFault: (message) => faults.push(message) });
  const remote = fc.oneof(
    fc.string(),
    fc.ipV4(),
    fc.ipV6(),
    fc.ipV6().map((address) => `[${address}]:1`),
    fc.stringMatching(/^[0-9a-f:.[\]%]{0,30}$/),
  );
  fc.assert(
    fc.property(remote, (address) => {
      policies.decide(ask('sql:select', { facts: { ...facts, client: { address, secure: true } } }));
      expect(faults).toEqual([]);
    }),
  );
});

test('an IPv4 client of a listener for both families is an IPv4 client to policies', () => {
  const policies = enforce(anyAddress);
  const client = { address: '::ffff:192.0.2.1', secure: true };
  expect(policies.decide(ask('sql:select', { facts: { ...facts, client } })).effect).toBe('allow');
});
