import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ApiClient } from '@sluice/api/client.ts';
import type { IssuedAccessCredential } from '@sluice/api/schema/access-credential.ts';
import { createTestIssuer } from '../../harness/issuer.ts';
import { createTestCa } from '../../harness/test-ca.ts';
import { scratchFolder } from './left-behind.ts';
import { type ServerProgram, startServerProgram } from './server-program.ts';

export interface GatewayOptions {
  /** Ids of the connectors to listen for, each at a free port. */
  readonly listen: readonly string[];
  /** Entries of `targets`. */
  readonly targets: readonly Readonly<Record<string, unknown>>[];
  /** The `masking` section. */
  readonly masking: Readonly<Record<string, unknown>>;
  /** Files beside the configuration, by name: secrets that it names. */
  readonly files: Readonly<Record<string, string>>;
  /** Keys of the configuration beside those. */
  readonly more?: Readonly<Record<string, unknown>>;
  /** Folder for CPU profiles. */
  readonly cpuProfile?: string;
}

export interface BenchGateway {
  readonly pid: number;
  /** Where its recordings and keys are. */
  readonly dataDir: string;
  /** Path of the authority of its certificate. */
  readonly ca: string;
  readonly api: string;
  at(connector: string): { readonly host: string; readonly port: number };
  /** As the agent that is measured. */
  token(): Promise<string>;
  issue(target: string, publicKey?: string): Promise<IssuedAccessCredential>;
  /** Whether any session is open. */
  busy(): Promise<boolean>;
  /** In good order, so that every recording is sealed; its data stays. */
  stop(): Promise<void>;
  /** Removes what it left. */
  remove(): Promise<void>;
}

const bin = fileURLToPath(new URL('../../../packages/cli/bin/sluice.js', import.meta.url));
const policies = new URL('../policies/', import.meta.url);
const policyFiles = ['everybody', 'agents', 'people', 'hosts', 'apis', 'never'].map((name) => `${name}.cedar`);
const day = 12 * 3600;

/** `sluice start`, as people run it, with the policies of this folder's neighbour. */
export async function startBenchGateway(options: GatewayOptions): Promise<BenchGateway> {
  const home = await scratchFolder('gateway');
  const dir = home.path;
  const issuer = await createTestIssuer();
  let server: ServerProgram | undefined;
  try {
    await writeFiles(dir, options, issuer);
    const profile = options.cpuProfile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${options.cpuProfile}`];
    const args = [...profile, bin, 'start', '-c', join(dir, 'sluice.yaml'), '--json'];
    const started = startServerProgram(process.execPath, args, { cwd: dir, log: join(dir, 'gateway.log') });
    server = started;
    const addresses = JSON.parse(await started.firstLine()) as Record<string, string>;
    const clientFor = async (claims: Parameters<typeof issuer.token>[0]): Promise<ApiClient> =>
      new ApiClient({ base: addresses['api'] ?? '', token: await issuer.token({ ...claims, ttl: day }) });
    const agent = { sub: 'agent', kind: 'agent', groups: ['react-agents'], owner: 'olga' } as const;
    const operator = await clientFor({ sub: 'olga', groups: ['operators'] });
    return {
      pid: started.pid,
      dataDir: dir,
      ca: join(dir, 'ca.crt'),
      api: addresses['api'] ?? '',
      at: (connector) => {
        const { hostname, port } = new URL(`tcp://${addresses[connector]}`);
        return { host: hostname, port: Number(port) };
      },
      token: () => issuer.token({ ...agent, ttl: day }),
      issue: async (target, publicKey) => {
        const client = await clientFor(agent);
        return client.issueAccessCredential({
          target,
          ttl: '12h',
          ...(publicKey === undefined ? {} : { public_key: publicKey }),
        });
      },
      busy: async () => (await operator.sessions({ live: true, limit: 1 })).items.length > 0,
      stop: async () => {
        try {
          await started.stop();
        } finally {
          await issuer.stop();
        }
      },
      remove: home.remove,
    };
  } catch (error) {
    await server?.kill();
    await issuer.stop();
    await home.remove();
    throw error;
  }
}

async function writeFiles(
  dir: string,
  { listen, targets, masking, files, more }: GatewayOptions,
  issuer: { readonly issuer: string; readonly audience: string },
): Promise<void> {
  await chmod(dir, 0o700);
  await mkdir(join(dir, 'policies'));
  for (const name of policyFiles) {
    await writeFile(join(dir, 'policies', name), await readFile(new URL(name, policies), 'utf8'));
  }
  const ca = await createTestCa();
  const { cert, key } = await ca.issue(['localhost', '127.0.0.1']);
  const all = { ...files, 'server.crt': cert, 'server.key': key, 'ca.crt': ca.cert };
  for (const [name, text] of Object.entries(all)) await writeFile(join(dir, name), text, { mode: 0o600 });
  const document = {
    listen: { api: '127.0.0.1:0', ...Object.fromEntries(listen.map((id) => [id, '127.0.0.1:0'])) },
    tls: { cert: 'server.crt', key: 'server.key' },
    data_dir: '.',
    identity: {
      issuers: [{ issuer: issuer.issuer, audience: issuer.audience, kind_claim: 'kind', owner_claim: 'owner' }],
    },
    targets,
    policies: ['policies/*.cedar'],
    masking,
    ...more,
  };
  // JSON is YAML.
  await writeFile(join(dir, 'sluice.yaml'), JSON.stringify(document, null, 2));
}
