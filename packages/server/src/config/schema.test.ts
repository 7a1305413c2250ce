import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BadCase, base, type ConfigFolder, listen, makeConfigFolder, targets } from './testing/config-folder.ts';

let folder: ConfigFolder;
beforeAll(() => {
  folder = makeConfigFolder();
});
afterAll(() => folder.remove());

const bad: readonly BadCase[] = [
  [
    'a misspelt key',
    () => base.replace('address:', 'adress:'),
    ['11:5: error: targets[0].adress: unknown key (did you mean address?)'],
  ],
  [
    'a misspelt section',
    () => base.replace('identity:', 'idenity:'),
    ['4:1: error: idenity: unknown key (did you mean identity?)'],
  ],
  [
    'a key from elsewhere',
    () => `${base}recording: {max: 3}\n`,
    ['14:13: error: recording.max: unknown key; known here: cap_per_result, durability, sync_interval'],
  ],
  [
    'a listener for no connector',
    () => base.replace('postgres: 127', 'postgers: 127'),
    ['3:3: error: listen.postgers: unknown key (did you mean postgres?)'],
  ],
  [
    'another connector’s setting',
    () => base.replace('database:', 'perch:'),
    [
      '12:5: error: targets[0].perch: unknown key; known here: address, connector, credential, database, name, tags, tls',
    ],
  ],
  [
    'an unknown connector',
    () => base.replace('connector: postgres', 'connector: postgre'),
    ['10:16: error: targets[0].connector: must be one of postgres, parrot (did you mean postgres?)'],
  ],
  [
    'a missing key',
    () => base.replace('    connector: postgres\n', ''),
    ['9:5: error: targets[0].connector: is missing'],
  ],
  ['a missing section', () => listen + targets, ['1:1: error: identity: is missing']],
  ['an empty section', () => `${base}approvals:\n`, ['14:1: error: approvals: must be a mapping, but is empty']],
  [
    'a number for a text',
    () => base.replace('database: shop', 'database: 7'),
    ['12:15: error: targets[0].database: must be a text, but is a number'],
  ],
  [
    'a text for a list',
    () => `${base}policies: x.cedar\n`,
    ['14:11: error: policies: must be a list of globs, but is a text'],
  ],
  [
    'a wrong audience',
    () => base.replace('audience: sluice', 'audience: [sluice, 7]'),
    ['7:26: error: identity.issuers[0].audience[1]: must be a text, but is a number'],
  ],
  [
    'no issuer',
    () => `${listen}identity: {issuers: []}\n${targets}`,
    ['4:21: error: identity.issuers: must name at least one issuer: without one nobody can log in'],
  ],
  [
    'a port that is none',
    () => base.replace('127.0.0.1:5432', '127.0.0.1:99999'),
    ['11:14: error: targets[0].address: the port must be at most 65535'],
  ],
  [
    'port 0 to dial',
    () => base.replace('127.0.0.1:5432', '127.0.0.1:0'),
    ['11:14: error: targets[0].address: the port must not be 0 here'],
  ],
  [
    'no port',
    () => base.replace('127.0.0.1:5432', 'db'),
    ['11:14: error: targets[0].address: the port is missing; write host:port, like 127.0.0.1:5432'],
  ],
  [
    'a URL for an address',
    () => base.replace('127.0.0.1:5432', 'postgres://db:5432'),
    ['11:14: error: targets[0].address: must be host:port without a scheme, like 127.0.0.1:5432'],
  ],
  [
    'IPv6 without brackets',
    () => base.replace('127.0.0.1:5432', '"2001:db8::1"'),
    ['11:14: error: targets[0].address: an IPv6 address needs brackets and a port, like [::1]:5432'],
  ],
  [
    'an address that is none',
    () => base.replace('127.0.0.1:5432', '127.0.0.256:5432'),
    ['11:14: error: targets[0].address: the host looks like an IPv4 address but is none'],
  ],
  [
    'no host',
    () => base.replace('api: 127.0.0.1:0', 'api: ":80"'),
    ['2:8: error: listen.api: the host is missing; write 0.0.0.0 for every interface'],
  ],
  [
    'a symmetric algorithm',
    () => base.replace('audience: sluice', 'audience: sluice\n      algorithms: [HS256]'),
    [
      '8:20: error: identity.issuers[0].algorithms[0]: must be one of RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, Ed25519 (did you mean RS256?)',
    ],
  ],
  [
    'an unknown kind',
    () => base.replace('audience: sluice', 'audience: sluice\n      default_kind: agnet'),
    ['8:21: error: identity.issuers[0].default_kind: must be one of user, agent, service (did you mean agent?)'],
  ],
  [
    'a secret in the file',
    () => base.replace('env:SHOP_PASSWORD', 'hunter2'),
    [
      '13:42: error: targets[0].credential.password: must be a reference to a secret, env:NAME or file:path; secrets do not belong into this file',
    ],
  ],
  [
    'a target name with a path in it',
    () => base.replace('name: shop', 'name: ../shop'),
    ['9:11: error: targets[0].name: must be 1 to 63 letters, digits, - or _, starting with a letter or digit'],
  ],
  [
    'a misspelt TLS mode',
    () => base.replace('database: shop', 'tls: requrie'),
    ['12:10: error: targets[0].tls: must be one of disable, require, verify-ca, verify-full (did you mean require?)'],
  ],
  [
    'a misspelt TLS mode in a mapping',
    () => base.replace('database: shop', 'tls: {mode: verify, ac: x}'),
    [
      '12:17: error: targets[0].tls.mode: must be one of disable, require, verify-ca, verify-full',
      '12:25: error: targets[0].tls.ac: unknown key (did you mean ca?)',
    ],
  ],
  [
    'another store',
    () => `${base}store: mysql://x\n`,
    ['14:8: error: store: must be embedded, postgres://…, env:NAME or file:path'],
  ],
  [
    'an unknown strategy',
    () => `${base}masking: {labels: {pii: [shop.a.b.c]}, strategies: {pii: hide}}\n`,
    ['14:58: error: masking.strategies.pii: must be one of redact, partial, null, hash, token'],
  ],
  [
    'a null strategy that YAML takes for nothing',
    () => `${base}masking: {labels: {pii: [shop.a.b.c]}, strategies: {pii: null}}\n`,
    [],
  ],
  [
    'a duration without a unit',
    () => `${base}approvals: {timeout: 30}\n`,
    ['14:22: error: approvals.timeout: must be a duration with its unit, like 30s or 15m, but is a number'],
  ],
  [
    'a duration with a wrong unit',
    () => `${base}approvals: {timeout: 30min}\n`,
    ['14:22: error: approvals.timeout: must be a duration with its unit (ms, s, m, h, d), like 30s or 15m'],
  ],
  [
    'a duration out of bounds',
    () => `${base}approvals: {timeout: 0s}\n`,
    ['14:22: error: approvals.timeout: must be between 1s and 30d'],
  ],
  [
    'a size in powers of ten',
    () => `${base}limits: {message_bytes: 64MB}\n`,
    ['14:25: error: limits.message_bytes: must be a size with its unit (B, KiB, MiB, GiB), like 64MiB'],
  ],
  [
    'a fraction of a request',
    () => `${base}approvals: {max_pending: 1.5}\n`,
    ['14:26: error: approvals.max_pending: must be a whole number between 1 and 10000, but is a number'],
  ],
  [
    'an invisible character',
    () => base.replace('database: shop', 'database: "sh\\u200bop"'),
    ['12:15: error: targets[0].database: must not contain control or invisible characters'],
  ],
  [
    'several mistakes at once',
    () => `${base.replace('api:', 'apii:').replace('5432', 'x')}unknown: 1\n`,
    [
      '2:3: error: listen.apii: unknown key (did you mean api?)',
      '11:14: error: targets[0].address: must be host:port, like 127.0.0.1:5432 or [::1]:5432',
      '14:1: error: unknown: unknown key; known here: access_credentials, approvals, data_dir, identity, limits, listen, masking, policies, recording, store, targets, tls, workers',
    ],
  ],
];

describe('a file that is wrong in shape', () => {
  test.each(bad)('%s', (_, text, expected) => {
    expect(folder.problems(text())).toEqual(expected);
  });
});
