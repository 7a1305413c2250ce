import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type BadCase,
  base,
  type ConfigFolder,
  identity,
  listen,
  makeConfigFolder,
  targets,
} from './testing/config-folder.ts';

let folder: ConfigFolder;
beforeAll(() => {
  folder = makeConfigFolder();
});
afterAll(() => folder.remove());

/** Another target, whose data has any depth. */
const parrot = (name: string): string =>
  targets
    .replace('targets:\n', '')
    .replace('name: shop', `name: ${name}`)
    .replace('connector: postgres', 'connector: parrot')
    .replace('database: shop', 'perch: oak');

const bad: readonly BadCase[] = [
  [
    'two listeners on one place',
    () => base.replaceAll('127.0.0.1:0', '127.0.0.1:6000'),
    ['3:13: error: listen.postgres: is the same as listen.api'],
  ],
  [
    'a listener for all without TLS',
    () => base.replace('api: 127.0.0.1', 'api: 0.0.0.0'),
    [
      '2:8: warning: listen.api: is reachable from other machines, but there is no tls section: secrets can’t be sent to it safely',
    ],
  ],
  [
    'metrics for everybody',
    () => base.replace('listen:\n', 'listen:\n  metrics: 0.0.0.0:9\n'),
    ['2:12: warning: listen.metrics: metrics are readable without a login on every interface; name an internal one'],
  ],
  [
    'an issuer over http',
    () => base.replace('https://login', 'http://login'),
    ['6:15: error: identity.issuers[0].issuer: must be https; plain http is accepted on loopback only'],
  ],
  [
    'an issuer that only looks like loopback',
    () => base.replace('https://login.example.com', 'http://127.0.0.1.example.com'),
    ['6:15: error: identity.issuers[0].issuer: must be https; plain http is accepted on loopback only'],
  ],
  [
    'keys over http',
    () => base.replace('      audience', '      jwks_uri: http://10.0.0.1/k\n      audience'),
    ['7:17: error: identity.issuers[0].jwks_uri: must be https; plain http is accepted on loopback only'],
  ],
  [
    'an issuer with a fragment',
    () => base.replace('login.example.com', 'login.example.com/#x'),
    ['6:15: error: identity.issuers[0].issuer: must have no query and no fragment'],
  ],
  [
    'an issuer with a password',
    () => base.replace('https://login', 'https://me:pw@login'),
    ['6:15: error: identity.issuers[0].issuer: must not hold a user name or password'],
  ],
  [
    'an issuer that is no URL',
    () => base.replace('https://login.example.com', 'login'),
    ['6:15: error: identity.issuers[0].issuer: must be a URL, like https://login.example.com'],
  ],
  [
    'the same issuer twice',
    () => `${listen}${identity}    - {issuer: https://login.example.com, audience: b, groups_prefix: x}\n${targets}`,
    ['8:16: error: identity.issuers[1].issuer: this issuer is here twice; give one entry a list of audiences'],
  ],
  [
    'two issuers with one namespace of groups',
    () => `${listen}${identity}    - {issuer: https://other.example.com, audience: b}\n${targets}`,
    [
      '8:7: warning: identity.issuers[1]: another issuer has the same groups_prefix: a group of one is then the group of that name of the other',
    ],
  ],
  [
    'a variable that is not set',
    () => base.replace('SHOP_PASSWORD', 'NOPE'),
    ['13:42: error: targets[0].credential.password: the environment variable NOPE is not set'],
  ],
  [
    'a variable that is empty',
    () => base.replace('SHOP_PASSWORD', 'EMPTY'),
    ['13:42: error: targets[0].credential.password: the environment variable EMPTY is empty'],
  ],
  [
    'a secret file that is missing',
    () => base.replace('env:SHOP_PASSWORD', 'file:nope'),
    [`13:42: error: targets[0].credential.password: <dir>/nope does not exist`],
  ],
  [
    'a secret file that is empty',
    () => base.replace('env:SHOP_PASSWORD', 'file:empty'),
    [`13:42: error: targets[0].credential.password: <dir>/empty is empty`],
  ],
  [
    'a secret that is a directory',
    () => base.replace('env:SHOP_PASSWORD', 'file:policies'),
    [`13:42: error: targets[0].credential.password: <dir>/policies is not a file`],
  ],
  [
    'a device for a secret',
    () => base.replace('env:SHOP_PASSWORD', 'file:/dev/zero'),
    ['13:42: error: targets[0].credential.password: /dev/zero is not a file'],
  ],
  [
    'two targets of one name',
    () => `${base}  - {name: shop, connector: postgres, address: "a:1", credential: {username: u}}\n`,
    ['14:12: error: targets[1].name: another target has this name'],
  ],
  [
    'two targets that differ in case',
    () => `${base}  - {name: Shop, connector: postgres, address: "a:1", credential: {username: u}}\n`,
    ['14:12: error: targets[1].name: differs from shop only in case'],
  ],
  ['no target', () => `${listen}${identity}`, ['1:1: warning: targets: there is no target: nothing can be reached']],
  [
    'a target nobody can reach',
    () => `${base}  - {name: b, connector: parrot, address: "a:1", credential: {username: u}}\n`,
    [
      '14:26: warning: targets[1].connector: there is no listen.parrot: clients of its protocol can’t reach this target',
    ],
  ],
  [
    'plain text to another machine',
    () => base.replace('127.0.0.1:5432', 'db:5432').replace('database: shop', 'tls: disable'),
    ['12:10: warning: targets[0].tls: the connection to this target is not encrypted'],
  ],
  [
    'no verification of another machine',
    () => base.replace('127.0.0.1:5432', 'db:5432').replace('database: shop', 'tls: require'),
    ['12:10: warning: targets[0].tls: this target is not verified: whoever sits in between can read the credential'],
  ],
  [
    'an authority that is not used',
    () => base.replace('database: shop', 'tls: {mode: require, ca: one.crt}'),
    ['12:17: error: targets[0].tls.mode: require verifies nothing, so that ca has no use'],
  ],
  [
    'an authority that is none',
    () => base.replace('database: shop', 'tls: {ca: noise.pem}'),
    ['12:15: error: targets[0].tls.ca: the file holds no PEM certificate'],
  ],
  [
    'a certificate that is missing',
    () => `${base}tls: {cert: nope.crt, key: one.key}\n`,
    ['14:13: error: tls.cert: the file does not exist'],
  ],
  [
    'a key that is none',
    () => `${base}tls: {cert: one.crt, key: one.crt}\n`,
    ['14:27: error: tls.key: the file holds no private key in PEM without a passphrase'],
  ],
  [
    'the key of another certificate',
    () => `${base}tls: {cert: one.crt, key: two.key}\n`,
    ['14:27: error: tls.key: is not the key of the certificate in tls.cert'],
  ],
  ['data in a file', () => `${base}data_dir: password\n`, ['14:11: error: data_dir: is not a directory']],
  [
    'data below a file',
    () => `${base}data_dir: password/x\n`,
    ['14:11: error: data_dir: can’t be written to by this user'],
  ],
  [
    'a store with its password',
    () => `${base}store: postgres://u:hunter2@db/x\n`,
    ['14:8: warning: store: holds a password; put the URL into a file or an environment variable and refer to it'],
  ],
  [
    'a store that is no URL',
    () => `${base}store: env:NOT_URL\n`,
    ['14:8: error: store: what it refers to is not a postgres:// URL'],
  ],
  [
    'policies that match nothing',
    () => `${base}policies: [polices/*.cedar]\n`,
    ['14:12: warning: policies[0]: matches no file; without policies everything is denied'],
  ],
  [
    'a label for an unknown target',
    () => `${base}masking: {labels: {pii: [shpo.a.b.c]}}\n`,
    ['14:26: error: masking.labels.pii[0]: there is no target shpo (did you mean shop?)'],
  ],
  [
    'a label for no target',
    () => `${base}masking: {labels: {pii: ["web*.a.b.c"]}}\n`,
    ['14:26: warning: masking.labels.pii[0]: no target has a name like this'],
  ],
  [
    'a label with three parts',
    () => `${base}masking: {labels: {pii.email: [shop.customers.email]}}\n`,
    [
      '14:32: error: masking.labels["pii.email"][0]: has 3 segments and so matches nothing on shop, where data is named <target>.<schema>.<table>.<column>',
    ],
  ],
  [
    'a label that is too long for columns, on every target',
    () => `${base}masking: {labels: {pii.email: ["*.public.customers.email.work"]}}\n`,
    [
      '14:32: error: masking.labels["pii.email"][0]: has 5 segments and so matches nothing on shop, where data is named <target>.<schema>.<table>.<column>',
    ],
  ],
  [
    'a label that fits some of the targets it names',
    () => `${base}${parrot('shop-api')}masking: {labels: {pii.email: ["shop*.customers.email"]}}\n`,
    [
      '15:16: warning: targets[1].connector: there is no listen.parrot: clients of its protocol can’t reach this target',
      '19:32: warning: masking.labels["pii.email"][0]: has 3 segments and so matches nothing on shop, where data is named <target>.<schema>.<table>.<column>',
    ],
  ],
  [
    'a label without anything below its target',
    () => `${base}masking: {labels: {pii.email: [shop]}}\n`,
    [
      '14:32: error: masking.labels["pii.email"][0]: it names a target and nothing in it, so it would match nothing. Write <target>.<schema>.<table>.<column>, or for documents <target>.<member>…, with * in any place.',
    ],
  ],
  [
    'a strategy for no label',
    () => `${base}masking: {labels: {pii.email: [shop.a.b.c]}, strategies: {pii.mail: hash}}\n`,
    [
      '14:59: error: masking.strategies["pii.mail"]: no data has this label in masking.labels, and masking.detect does not look for it (did you mean pii.email?)',
    ],
  ],
  [
    'parking for longer than a request lives',
    () => `${base}approvals: {timeout: 10s, park: 11s}\n`,
    ['14:33: error: approvals.park: must not be longer than approvals.timeout'],
  ],
  [
    'a default beyond the maximum',
    () => `${base}access_credentials: {default_ttl: 2h, max_ttl: 1h}\n`,
    ['14:35: error: access_credentials.default_ttl: must not be longer than access_credentials.max_ttl'],
  ],
];

describe('a file that is wrong in meaning', () => {
  test.each(bad)('%s', (_, text, expected) => {
    expect(folder.problems(text())).toEqual(expected);
  });
});
