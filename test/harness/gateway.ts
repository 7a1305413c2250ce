// A real gateway for tests: the one that `sluice start` starts, in this process, in front of a real PostgreSQL, with
// tokens of a test issuer. Whoever starts it stops it.

import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient } from '@sluice/api/client.ts';
import { loadConfig } from '@sluice/server/config/load.ts';
import { knownConnectors } from '@sluice/server/gateway-connectors.ts';
import { type Gateway, startGateway } from '@sluice/server/main.ts';
import { Client, type ClientConfig } from 'pg';
import { createTestIssuer, type TestClaims, type TestIssuer } from './issuer.ts';
import type { TestPostgres } from './postgres.ts';
import { createTestCa, type TestCa, type TestCertificate } from './test-ca.ts';

export interface TestGatewayOptions {
  readonly postgres: Pick<TestPostgres, 'host' | 'port' | 'superuser' | 'password' | 'database'>;
  /** Cedar; the default permits everything. */
  readonly policies?: string;
  readonly labels?: Readonly<Record<string, readonly string[]>>;
  readonly strategies?: Readonly<Record<string, string>>;
  /** Labels to look for in text that bears none. */
  readonly detect?: readonly string[];
  /** Lines for sluice.yaml beyond the usual ones. */
  readonly config?: string;
  /** Whether the gateway has a certificate. */
  readonly tls?: boolean;
  /** The target's `tls` setting. */
  readonly targetTls?: string | { readonly mode: string; readonly ca?: string };
  /** Entries of `targets` beside the usual one. */
  readonly moreTargets?: readonly Readonly<Record<string, unknown>>[];
  /** Keep the data directory of an earlier gateway. */
  readonly dataDir?: string;
}

export interface TestGateway {
  readonly host: string;
  readonly port: number;
  readonly api: string;
  readonly dir: string;
  readonly configFile: string;
  readonly logFile: string;
  readonly issuer: TestIssuer;
  readonly ca?: TestCa;
  token(claims: TestClaims): Promise<string>;
  /** A connected driver; `user` and `password` may be overridden for access credentials. */
  connect(claims: TestClaims, options?: ClientConfig): Promise<Client>;
  apiAs(claims: TestClaims): Promise<ApiClient>;
  /** Replaces the policies; resolves once they are in force. */
  setPolicies(text: string): Promise<void>;
  stop(): Promise<void>;
}

export const permitAll = '@id("permit-all")\npermit (principal, action, resource);\n';
export const targetName = 'shop';

export async function createTestGateway(options: TestGatewayOptions): Promise<TestGateway> {
  const dir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'sluice-test-gw-')));
  const issuer = await createTestIssuer();
  const ca = options.tls ? await createTestCa() : undefined;
  const certificate = await ca?.issue(['localhost', '127.0.0.1']);
  const configFile = await writeConfiguration(dir, options, issuer, certificate);
  const logFile = join(dir, 'gateway.log');
  let gateway: Gateway;
  try {
    gateway = await startGateway({ config: loadConfig(configFile, { connectors: knownConnectors }), logFile });
  } catch (error) {
    await issuer.stop();
    throw error;
  }
  const { api, connectors } = gateway.addresses;
  const postgres = connectors['postgres'];
  if (!postgres) throw new Error('no listener');
  const base = `http://${api.host}:${api.port}`;
  const apiAs = async (claims: TestClaims): Promise<ApiClient> =>
    new ApiClient({ base, token: await issuer.token(claims) });
  return {
    host: postgres.host,
    port: postgres.port,
    api: base,
    dir,
    configFile,
    logFile,
    issuer,
    ...(ca ? { ca } : {}),
    token: (claims) => issuer.token(claims),
    apiAs,
    connect: async (claims, more = {}) => {
      const client = new Client({
        host: postgres.host,
        port: postgres.port,
        database: targetName,
        user: 'anyone',
        password: await issuer.token(claims),
        ...more,
      });
      // What ends a session is asserted where it matters; elsewhere it must not end the test process.
      client.on('error', () => {});
      await client.connect();
      return client;
    },
    setPolicies: async (text) => {
      const client = await apiAs({ sub: 'operator', groups: ['operators'] });
      const before = (await client.policies()).epoch;
      await writeFile(join(dir, 'policies', 'test.cedar'), text);
      while ((await client.policies()).epoch === before) await new Promise((resolve) => setImmediate(resolve));
    },
    stop: async () => {
      await gateway.stop();
      await issuer.stop();
      if (options.dataDir === undefined) await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Writes sluice.yaml and all that it names into `dir`; resolves with its path. */
export async function writeConfiguration(
  dir: string,
  options: TestGatewayOptions,
  issuer: TestIssuer,
  certificate: TestCertificate | undefined,
): Promise<string> {
  const { postgres } = options;
  await chmod(dir, 0o700);
  await mkdir(join(dir, 'policies'), { recursive: true });
  await writeFile(join(dir, 'policies', 'test.cedar'), options.policies ?? permitAll);
  await writeFile(join(dir, 'password'), postgres.password, { mode: 0o600 });
  if (certificate) {
    await writeFile(join(dir, 'server.crt'), certificate.cert);
    await writeFile(join(dir, 'server.key'), certificate.key, { mode: 0o600 });
  }
  const document = {
    listen: { api: '127.0.0.1:0', postgres: '127.0.0.1:0' },
    ...(certificate ? { tls: { cert: 'server.crt', key: 'server.key' } } : {}),
    data_dir: '.',
    store: 'embedded',
    identity: {
      issuers: [
        {
          issuer: issuer.issuer,
          audience: issuer.audience,
          groups_claim: 'groups',
          kind_claim: 'kind',
          owner_claim: 'owner',
        },
      ],
    },
    targets: [
      {
        name: targetName,
        connector: 'postgres',
        address: `${postgres.host}:${postgres.port}`,
        database: postgres.database,
        tls: options.targetTls ?? 'disable',
        credential: { username: postgres.superuser, password: 'file:password' },
        tags: ['env=test'],
      },
      ...(options.moreTargets ?? []),
    ],
    policies: ['policies/*.cedar'],
    masking: { labels: options.labels ?? {}, strategies: options.strategies ?? {}, detect: options.detect ?? [] },
  };
  // JSON is YAML.
  const text = `${JSON.stringify(document, null, 2).slice(0, -2)}${options.config ? `,\n${options.config}` : ''}\n}\n`;
  const file = join(dir, 'sluice.yaml');
  await writeFile(file, text);
  return file;
}
