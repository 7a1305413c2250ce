import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkConfig, loadConfig } from './load.ts';
import { ConfigError } from './problem.ts';
import { base, type ConfigFolder, identity, listen, makeConfigFolder, options } from './testing/config-folder.ts';

let folder: ConfigFolder;
beforeAll(() => {
  folder = makeConfigFolder();
});
afterAll(() => folder.remove());

describe('a good file', () => {
  test('gets its defaults, absolute paths, and no problem', () => {
    const file = folder.write(base);
    expect(checkConfig(file, options)).toEqual([]);
    const config = loadConfig(file, options);
    expect(config).toMatchObject({
      file,
      dir: folder.dir,
      dataDir: join(folder.dir, '.sluice'),
      store: { kind: 'embedded' },
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
          credential: { username: 'gw', secrets: { password: { kind: 'env', name: 'SHOP_PASSWORD' } } },
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
    const file = folder.write(`
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
        { mode: 'verify-ca', ca: join(folder.dir, 'one.crt') },
        {},
        { username: 'gw', secrets: { password: { kind: 'file', path: join(folder.dir, 'password') } } },
      ],
      [{ mode: 'verify-full' }, { perch: 'top' }, { username: 'gw', secrets: {} }],
    ]);
    expect(config.targets[1]?.address).toEqual({ host: '2001:db8::1', port: 99 });
    expect(config.store.kind === 'postgres' && config.store.url.reveal()).toBe('postgres://u:p4ssword@db/sluice');
    expect(config.tls).toEqual({ cert: join(folder.dir, 'one.crt'), key: join(folder.dir, 'one.key') });
    expect(config.approvals).toEqual({ timeout: 7_200_000, park: 0, grantTtl: 86_400_000, maxPending: 3 });
    expect(JSON.stringify(config)).not.toContain('p4ssword');
  });

  test('may use an anchor for what it would have to say twice', () => {
    const text = `${listen}${identity}targets:
  - &shop {name: shop, connector: postgres, address: 127.0.0.1:5432, credential: &gw {username: gw, password: env:SHOP_PASSWORD}}
  - {name: shop2, connector: postgres, address: 127.0.0.1:5433, credential: *gw}
`;
    expect(folder.problems(text)).toEqual([]);
  });
});

describe('a bad file', () => {
  test('keeps the gateway from starting, with every problem in the error and no secret', () => {
    const file = folder.write(base.replace('env:SHOP_PASSWORD', 'hunter2').replace('api:', 'apii:'));
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
    expect(checkConfig(folder.write('['.repeat(200_000)), options).map((problem) => problem.message)).toEqual([
      'the document is nested too deeply',
    ]);
  });

  test('that is not there says so', () => {
    expect(checkConfig(join(folder.dir, 'nope.yaml'), options).map((problem) => problem.message)).toEqual([
      'the file does not exist',
    ]);
    expect(checkConfig(folder.dir, options).map((problem) => problem.message)).toEqual(['the file is a directory']);
  });

  test('says nothing about values it only warned of', () => {
    const file = folder.write(base.replace('127.0.0.1:5432', 'db:5432').replace('database: shop', 'tls: disable'));
    expect(loadConfig(file, options).warnings).toHaveLength(1);
    expect(readFileSync(file, 'utf8')).toContain('tls: disable');
  });
});
