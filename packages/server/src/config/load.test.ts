import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ConfigOptions, checkConfig, loadConfig } from './load.ts';
import { ConfigError, formatProblem } from './problem.ts';

let dir: string;
const options: ConfigOptions = {
  connectors: [
    { id: 'postgres', targetSettings: ['database'] },
    { id: 'parrot', targetSettings: ['perch'] },
  ],
  environment: {
    variables: {
      SHOP_PASSWORD: 's3cret-value',
      EMPTY: '',
      STORE_URL: 'postgres://u:p4ssword@db/sluice',
      NOT_URL: 'hunter2',
    },
  },
};

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'sluice-config-'));
  mkdirSync(join(dir, 'policies'));
  writeFileSync(join(dir, 'policies', 'a.cedar'), '');
  writeFileSync(join(dir, 'password'), 'from-file\n');
  writeFileSync(join(dir, 'empty'), '');
  writeFileSync(join(dir, 'noise.pem'), 'not a certificate');
  for (const name of ['one.crt', 'one.key', 'two.key']) {
    copyFileSync(new URL(`fixtures/${name}`, import.meta.url), join(dir, name));
  }
});

afterAll(() => rmSync(dir, { recursive: true, force: true }));

let written = 0;
function write(text: string | Uint8Array): string {
  written += 1;
  const file = join(dir, `sluice-${written}.yaml`);
  writeFileSync(file, text);
  return file;
}

/** Problems without the directory in front: `4:5: error: path: message`. */
function problems(text: string | Uint8Array): string[] {
  const file = write(text);
  return checkConfig(file, options).map((problem) => formatProblem(problem).replace(`${file}:`, ''));
}

const listen = 'listen:\n  api: 127.0.0.1:0\n  postgres: 127.0.0.1:0\n';
const identity = 'identity:\n  issuers:\n    - issuer: https://login.example.com\n      audience: sluice\n';
const targets =
  'targets:\n  - name: shop\n    connector: postgres\n    address: 127.0.0.1:5432\n    database: shop\n    credential: {username: gw, password: env:SHOP_PASSWORD}\n';
const base = listen + identity + targets;

describe('a good file', () => {
  test('gets its defaults, absolute paths, and no problem', () => {
    const file = write(base);
    expect(checkConfig(file, options)).toEqual([]);
    const config = loadConfig(file, options);
    expect(config).toMatchObject({
      file,
      dir,
      dataDir: join(dir, '.sluice'),
      store: { kind: 'embedded', dir: join(dir, '.sluice', 'store') },
      listen: { api: { host: '127.0.0.1', port: 0 }, connectors: { postgres: { host: '127.0.0.1', port: 0 } } },
      identity: {
        issuers: [
          {
            issuer: 'https://login.example.com',
            audience: ['sluice'],
            groupsClaim: 'groups',
            kindClaim: 'kind',
            defaultKind: 'user',
          },
        ],
      },
      targets: [
        {
          name: 'shop',
          tags: [],
          address: { host: '127.0.0.1', port: 5432 },
          tls: { mode: 'verify-full' },
          credential: { username: 'gw', password: { kind: 'env', name: 'SHOP_PASSWORD' } },
          settings: { database: 'shop' },
        },
      ],
      policies: ['policies/*.cedar'],
      masking: { labels: {}, strategies: {} },
      recording: { durability: 'group', syncInterval: 50, capPerResult: 1024 * 1024 },
      approvals: { timeout: 3_600_000, park: 30_000, grantTtl: 600_000, maxPending: 50 },
      accessCredentials: { defaultTtl: 900_000, maxTtl: 43_200_000 },
      limits: { preAuthBytes: 65_536, messageBytes: 64 * 1024 * 1024 },
      warnings: [],
    });
    expect(config.listen).not.toHaveProperty('metrics');
  });

  test('may say everything', () => {
    const file = write(`
listen: {api: "[::1]:8443", postgres: 0.0.0.0:6432, parrot: "localhost:7000", metrics: 127.0.0.1:9090}
tls: {cert: one.crt, key: one.key}
data_dir: data
store: env:STORE_URL
identity:
  issuers:
    - issuer: http://127.0.0.1:4444
      audience: [sluice, other]
      groups_claim: realm_access.roles
      kind_claim: sluice_kind
      default_kind: service
      owner_claim: owner
      jwks_uri: http://localhost:4444/jwks
      algorithms: [ES256]
      groups_prefix: "ci:"
access_credentials: {default_ttl: 5m, max_ttl: 1h}
targets:
  - name: shop
    connector: postgres
    address: db.example.com:5432
    tls: {mode: verify-ca, ca: one.crt}
    credential: {username: gw, password: file:password}
    tags: [env=prod]
  - name: bird
    connector: parrot
    address: "[2001:db8::1]:99"
    perch: top
    credential: {username: gw}
masking:
  labels: {pii.email: ["*.public.customers.email", "*.customers.email", "shop.*.*.mail", 'shop."we.ird"."t ""x""".c']}
  strategies: {pii.email: partial}
recording: {durability: strict, sync_interval: 10ms, cap_per_result: 64KiB}
approvals: {timeout: 2h, park: 0s, grant_ttl: 1d, max_pending: 3}
limits: {pre_auth_bytes: 32KiB, pre_auth_time: 5s, message_bytes: 1MiB, statement_bytes: 256KiB}
`);
    expect(checkConfig(file, options)).toEqual([]);
    const config = loadConfig(file, options);
    expect(config.targets.map((target) => [target.tls, target.settings, target.credential])).toEqual([
      [
        { mode: 'verify-ca', ca: join(dir, 'one.crt') },
        {},
        { username: 'gw', password: { kind: 'file', path: join(dir, 'password') } },
      ],
      [{ mode: 'verify-full' }, { perch: 'top' }, { username: 'gw' }],
    ]);
    expect(config.targets[1]?.address).toEqual({ host: '2001:db8::1', port: 99 });
    expect(config.store.kind === 'postgres' && config.store.url.reveal()).toBe('postgres://u:p4ssword@db/sluice');
    expect(config.tls).toEqual({ cert: join(dir, 'one.crt'), key: join(dir, 'one.key') });
    expect(config.approvals).toEqual({ timeout: 7_200_000, park: 0, grantTtl: 86_400_000, maxPending: 3 });
    expect(JSON.stringify(config)).not.toContain('p4ssword');
  });

  test('may use an anchor for what it would have to say twice', () => {
    const text = `${listen}${identity}targets:
  - &shop {name: shop, connector: postgres, address: 127.0.0.1:5432, credential: &gw {username: gw, password: env:SHOP_PASSWORD}}
  - {name: shop2, connector: postgres, address: 127.0.0.1:5433, credential: *gw}
`;
    expect(problems(text)).toEqual([]);
  });
});

/** What is wrong, the text, and every problem with its place. */
const bad: readonly [string, () => string | Uint8Array, string[]][] = [
  ['an empty file', () => '', ['1:1: error: the file is empty']],
  ['a list', () => '- a', ['1:1: error: the file must hold a mapping of keys, but is a list']],
  [
    'broken YAML',
    () => 'listen: {api: 1',
    ['1:16: error: Flow map in block collection must be sufficiently indented and end with a }'],
  ],
  ['a tab', () => 'listen:\n\tapi: x', ['2:1: error: indentation must be spaces, not tabs']],
  ['bytes that are not UTF-8', () => new Uint8Array([0x61, 0x3a, 0xff]), ['1:1: error: the file is not UTF-8 text']],
  [
    'a duplicate key',
    () => `${base}tls: {cert: a, key: b}\ntls: {cert: a, key: b}\n`,
    ['15:1: error: this key is here twice'],
  ],
  ['two documents', () => `${base}---\n${base}`, ['14:1: error: only one document is allowed in this file']],
  [
    'a merge key',
    () => `x: &x {a: 1}\ny:\n  <<: *x\n`,
    ['3:3: error: merge keys (<<) are not used here; write the keys out'],
  ],
  ['a prototype key', () => `__proto__: {x: 1}\n${base}`, ['1:1: error: this key is not allowed']],
  ['a custom tag', () => `${base}store: !!js/function x\n`, ['14:8: error: tags (!…) are not used here']],
  [
    'aliases that multiply',
    () =>
      `a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [${'*a,'.repeat(10)}]\nc: &c [${'*b,'.repeat(10)}]\nd: &d [${'*c,'.repeat(10)}]\n`,
    ['1:1: error: aliases repeat too much of the document'],
  ],
  ['deep nesting', () => `a: ${'['.repeat(100)}${']'.repeat(100)}`, ['1:67: error: the document is nested too deeply']],
  [
    'an oversized file',
    () => `${base}#${'x'.repeat(1024 * 1024)}`,
    ['1:1: error: the file is larger than 1048576 bytes'],
  ],
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
    [`13:42: error: targets[0].credential.password: ${'<dir>'}/nope does not exist`],
  ],
  [
    'a secret file that is empty',
    () => base.replace('env:SHOP_PASSWORD', 'file:empty'),
    [`13:42: error: targets[0].credential.password: ${'<dir>'}/empty is empty`],
  ],
  [
    'a secret that is a directory',
    () => base.replace('env:SHOP_PASSWORD', 'file:policies'),
    [`13:42: error: targets[0].credential.password: ${'<dir>'}/policies is not a file`],
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
  [
    'a target name with a path in it',
    () => base.replace('name: shop', 'name: ../shop'),
    ['9:11: error: targets[0].name: must be 1 to 63 letters, digits, - or _, starting with a letter or digit'],
  ],
  ['no target', () => `${listen}${identity}`, ['1:1: warning: targets: there is no target: nothing can be reached']],
  [
    'a target nobody can reach',
    () => `${base}  - {name: b, connector: parrot, address: "a:1", credential: {username: u}}\n`,
    ['14:26: warning: targets[1].connector: there is no listen.parrot: clients can’t reach this target'],
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
    'another store',
    () => `${base}store: mysql://x\n`,
    ['14:8: error: store: must be embedded, postgres://…, env:NAME or file:path'],
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
    () => `${base}masking: {labels: {pii.email: [customers.email]}}\n`,
    [
      '14:32: error: masking.labels["pii.email"][0]: it has 2 of 4 segments and does not begin with "*.", so it would match nothing. Write <target>.<schema>.<table>.<column>, with * in any place.',
    ],
  ],
  [
    'a strategy for no label',
    () => `${base}masking: {labels: {pii.email: [shop.a.b.c]}, strategies: {pii.mail: hash}}\n`,
    [
      '14:59: error: masking.strategies["pii.mail"]: no data has this label in masking.labels (did you mean pii.email?)',
    ],
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
    'parking for longer than a request lives',
    () => `${base}approvals: {timeout: 10s, park: 11s}\n`,
    ['14:33: error: approvals.park: must not be longer than approvals.timeout'],
  ],
  [
    'a default beyond the maximum',
    () => `${base}access_credentials: {default_ttl: 2h, max_ttl: 1h}\n`,
    ['14:35: error: access_credentials.default_ttl: must not be longer than access_credentials.max_ttl'],
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
      '14:1: error: unknown: unknown key; known here: access_credentials, approvals, data_dir, identity, limits, listen, masking, policies, recording, store, targets, tls',
    ],
  ],
];

describe('a bad file', () => {
  test.each(bad)('%s', (_, text, expected) => {
    expect(problems(text())).toEqual(expected.map((line) => line.replace('<dir>', dir)));
  });

  test('keeps the gateway from starting, with every problem in the error and no secret', () => {
    const file = write(base.replace('env:SHOP_PASSWORD', 'hunter2').replace('api:', 'apii:'));
    const thrown = (() => {
      try {
        return loadConfig(file, options);
      } catch (error) {
        return error;
      }
    })();
    expect(thrown).toBeInstanceOf(ConfigError);
    expect((thrown as ConfigError).problems).toHaveLength(2);
    expect(`${String(thrown)}${JSON.stringify(thrown)}`).not.toContain('hunter2');
  });

  test('nested far beyond the stack is refused, not crashed on', () => {
    expect(checkConfig(write('['.repeat(200_000)), options).map((problem) => problem.message)).toEqual([
      'the document is nested too deeply',
    ]);
  });

  test('that is not there says so', () => {
    expect(checkConfig(join(dir, 'nope.yaml'), options).map((problem) => problem.message)).toEqual([
      'the file does not exist',
    ]);
    expect(checkConfig(dir, options).map((problem) => problem.message)).toEqual(['the file is a directory']);
  });

  test('says nothing about values it only warned of', () => {
    const file = write(base.replace('127.0.0.1:5432', 'db:5432').replace('database: shop', 'tls: disable'));
    expect(loadConfig(file, options).warnings).toHaveLength(1);
    expect(readFileSync(file, 'utf8')).toContain('tls: disable');
  });
});
