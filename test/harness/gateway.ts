// A real gateway in front of a real PostgreSQL, with a driver's way in. Whoever starts it stops it.
import { Client, type ClientConfig } from 'pg';
import {
  type AnyGateway,
  type AnyGatewayOptions,
  createAnyGateway,
  permitAll,
  writeGatewayConfiguration,
} from './any-gateway.ts';
import type { TestClaims, TestIssuer } from './issuer.ts';
import type { TestPostgres } from './postgres.ts';
import type { TestCertificate } from './test-ca.ts';

export interface TestGatewayOptions
  extends Pick<AnyGatewayOptions, 'policies' | 'config' | 'tls' | 'metrics' | 'dataDir' | 'bare'> {
  readonly postgres: Pick<TestPostgres, 'host' | 'port' | 'superuser' | 'password' | 'database'>;
  readonly labels?: Readonly<Record<string, readonly string[]>>;
  readonly strategies?: Readonly<Record<string, string>>;
  /** Labels to look for in cells that bear none. */
  readonly detect?: readonly string[];
  /** The target's `tls` setting. */
  readonly targetTls?: string | { readonly mode: string; readonly ca?: string };
  /** Entries of `targets` beside the usual one. */
  readonly moreTargets?: readonly Readonly<Record<string, unknown>>[];
}

export interface TestGateway extends AnyGateway {
  readonly host: string;
  readonly port: number;
  /** A connected driver; `user` and `password` may be overridden for access credentials. */
  connect(claims: TestClaims, options?: ClientConfig): Promise<Client>;
}

export { permitAll };
export const targetName = 'shop';

export async function createTestGateway(options: TestGatewayOptions): Promise<TestGateway> {
  const gateway = await createAnyGateway(anyOptions(options));
  const { host, port } = gateway.at('postgres');
  return {
    ...gateway,
    host,
    port,
    connect: async (claims, more = {}) => {
      const client = new Client({
        host,
        port,
        database: targetName,
        user: 'anyone',
        password: await gateway.token(claims),
        ...more,
      });
      // What ends a session is asserted where it matters; elsewhere it must not end the test process.
      client.on('error', () => {});
      await client.connect();
      return client;
    },
  };
}

/** Writes sluice.yaml and all that it names into `dir`; resolves with its path. */
export function writeConfiguration(
  dir: string,
  options: TestGatewayOptions,
  issuer: TestIssuer,
  certificate: TestCertificate | undefined,
): Promise<string> {
  return writeGatewayConfiguration(dir, anyOptions(options), issuer, certificate);
}

function anyOptions({ postgres, labels, strategies, detect, targetTls, moreTargets, ...rest }: TestGatewayOptions) {
  return {
    ...rest,
    listen: ['postgres'],
    files: { password: postgres.password },
    targets: [
      {
        name: targetName,
        connector: 'postgres',
        address: `${postgres.host}:${postgres.port}`,
        database: postgres.database,
        tls: targetTls ?? 'disable',
        credential: { username: postgres.superuser, password: 'file:password' },
        tags: ['env=test'],
      },
      ...(moreTargets ?? []),
    ],
    masking: { labels: labels ?? {}, strategies: strategies ?? {}, detect: detect ?? [] },
  };
}
