// A real gateway for tests: the one that `sluice start` starts, in this process, in front of whatever targets the test
// has, with tokens of a test issuer. Whoever starts it stops it.

import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient } from '@sluice/api/client.ts';
import { loadConfig } from '@sluice/server/config/load.ts';
import { knownConnectors } from '@sluice/server/gateway-connectors.ts';
import { type Gateway, startGateway } from '@sluice/server/main.ts';
import { createTestIssuer, type TestClaims, type TestIssuer } from './issuer.ts';
import { prepareStore } from './prepared-store.ts';
import { createTestCa, type TestCa, type TestCertificate } from './test-ca.ts';

export interface AnyGatewayOptions {
  /** Ids of the connectors to listen for; each gets a free port on loopback. */
  readonly listen: readonly string[];
  /** Entries of `targets`, as in sluice.yaml. */
  readonly targets: readonly Readonly<Record<string, unknown>>[];
  /** Files beside sluice.yaml, by name, readable by their owner only: passwords, keys. */
  readonly files?: Readonly<Record<string, string>>;
  /** Cedar; the default permits everything. */
  readonly policies?: string;
  /** The `masking` section. */
  readonly masking?: Readonly<Record<string, unknown>>;
  /** Lines for sluice.yaml beyond the usual ones. */
  readonly config?: string;
  /** Whether the gateway has a certificate. */
  readonly tls?: boolean;
  /** Whether `/metrics` is served. */
  readonly metrics?: boolean;
  /** Keep the data directory of an earlier gateway. */
  readonly dataDir?: string;
  /** Let the gateway make its own database, as the first one of a person does, instead of finding one that is made. */
  readonly bare?: boolean;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface AnyGateway {
  /** Where a connector listens, by its id. Throws for one that does not. */
  at(connector: string): Address;
  readonly api: string;
  /** URL of `/metrics`; empty where it is not served. */
  readonly metrics: string;
  readonly dir: string;
  readonly configFile: string;
  readonly logFile: string;
  readonly issuer: TestIssuer;
  readonly ca?: TestCa;
  token(claims: TestClaims): Promise<string>;
  apiAs(claims: TestClaims): Promise<ApiClient>;
  /** Replaces the policies; resolves once they are in force. */
  setPolicies(text: string): Promise<void>;
  stop(): Promise<void>;
}

export const permitAll = '@id("permit-all")\npermit (principal, action, resource);\n';

export async function createAnyGateway(options: AnyGatewayOptions): Promise<AnyGateway> {
  const dir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'sluice-test-gw-')));
  const issuer = await createTestIssuer();
  const ca = options.tls ? await createTestCa() : undefined;
  const certificate = await ca?.issue(['localhost', '127.0.0.1']);
  const configFile = await writeGatewayConfiguration(dir, options, issuer, certificate);
  const logFile = join(dir, 'gateway.log');
  let gateway: Gateway;
  try {
    gateway = await startGateway({ config: loadConfig(configFile, { connectors: knownConnectors }), logFile });
  } catch (error) {
    await issuer.stop();
    throw error;
  }
  const { api, metrics, connectors } = gateway.addresses;
  const base = `http://${api.host}:${api.port}`;
  const apiAs = async (claims: TestClaims): Promise<ApiClient> =>
    new ApiClient({ base, token: await issuer.token(claims) });
  return {
    at: (connector) => {
      const address = connectors[connector];
      if (!address) throw new Error(`no listener for ${connector}`);
      return address;
    },
    api: base,
    metrics: metrics ? `http://${metrics.host}:${metrics.port}/metrics` : '',
    dir,
    configFile,
    logFile,
    issuer,
    ...(ca ? { ca } : {}),
    token: (claims) => issuer.token(claims),
    apiAs,
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
export async function writeGatewayConfiguration(
  dir: string,
  options: AnyGatewayOptions,
  issuer: TestIssuer,
  certificate?: TestCertificate,
): Promise<string> {
  await chmod(dir, 0o700);
  if (!options.bare) await prepareStore(dir);
  await mkdir(join(dir, 'policies'), { recursive: true });
  await writeFile(join(dir, 'policies', 'test.cedar'), options.policies ?? permitAll);
  for (const [name, text] of Object.entries(options.files ?? {})) {
    await writeFile(join(dir, name), text, { mode: 0o600 });
  }
  if (certificate) {
    await writeFile(join(dir, 'server.crt'), certificate.cert);
    await writeFile(join(dir, 'server.key'), certificate.key, { mode: 0o600 });
  }
  const document = {
    listen: {
      api: '127.0.0.1:0',
      ...(options.metrics ? { metrics: '127.0.0.1:0' } : {}),
      ...Object.fromEntries(options.listen.map((id) => [id, '127.0.0.1:0'])),
    },
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
    targets: options.targets,
    policies: ['policies/*.cedar'],
    masking: options.masking ?? {},
    // To hold what is promised by one process to it when several serve: SLUICE_TEST_WORKERS=2 npx vitest run …
    ...(process.env['SLUICE_TEST_WORKERS'] ? { workers: Number(process.env['SLUICE_TEST_WORKERS']) } : {}),
  };
  // JSON is YAML.
  const text = `${JSON.stringify(document, null, 2).slice(0, -2)}${options.config ? `,\n${options.config}` : ''}\n}\n`;
  const file = join(dir, 'sluice.yaml');
  await writeFile(file, text);
  return file;
}
