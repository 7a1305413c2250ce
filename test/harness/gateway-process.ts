// A gateway as people run it: `sluice start` in a process of its own, which can be killed, and started again on the same
// data directory.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient } from '@sluice/api/client.ts';
import { type Result, startCommand } from '@sluice/cli/testing/command.ts';
import { Client, type ClientConfig } from 'pg';
import { type TestGatewayOptions, targetName, writeConfiguration } from './gateway.ts';
import { createTestIssuer, type TestClaims, type TestIssuer } from './issuer.ts';
import { createTestCa } from './test-ca.ts';

export interface GatewayProcess {
  readonly host: string;
  readonly port: number;
  readonly api: string;
  readonly ended: Promise<Result>;
  /** As a crash would; resolves when the process is gone. */
  kill(): Promise<void>;
  /** In good order. */
  stop(): Promise<Result>;
}

export interface GatewayHome {
  readonly dir: string;
  readonly configFile: string;
  readonly issuer: TestIssuer;
  start(): Promise<GatewayProcess>;
  apiOf(gateway: GatewayProcess, claims: TestClaims): Promise<ApiClient>;
  connect(gateway: GatewayProcess, claims: TestClaims, options?: ClientConfig): Promise<Client>;
  /** Kills what still runs, and removes everything. */
  remove(): Promise<void>;
}

/** `dataDir` is kept on `remove`: whoever made it removes it. */
export async function createGatewayHome(options: TestGatewayOptions): Promise<GatewayHome> {
  const dir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'sluice-test-home-')));
  const issuer = await createTestIssuer();
  const certificate = options.tls ? await (await createTestCa()).issue(['localhost', '127.0.0.1']) : undefined;
  const configFile = await writeConfiguration(dir, options, issuer, certificate);
  const running = new Set<GatewayProcess>();
  return {
    dir,
    configFile,
    issuer,
    start: async () => {
      const gateway = await start(dir, configFile);
      running.add(gateway);
      return gateway;
    },
    apiOf: async ({ api }, claims) => new ApiClient({ base: api, token: await issuer.token(claims) }),
    connect: async ({ host, port }, claims, more = {}) => {
      const password = await issuer.token(claims);
      const client = new Client({ host, port, database: targetName, user: 'anyone', password, ...more });
      client.on('error', () => {});
      await client.connect();
      return client;
    },
    remove: async () => {
      await Promise.all([...running].map((gateway) => gateway.kill()));
      await issuer.stop();
      if (options.dataDir === undefined) await rm(dir, { recursive: true, force: true });
    },
  };
}

async function start(dir: string, configFile: string): Promise<GatewayProcess> {
  const command = startCommand(['start', '-c', configFile, '--json'], { cwd: dir });
  const { api, postgres } = JSON.parse(await command.firstLine) as { api: string; postgres: string };
  const { hostname, port } = new URL(`tcp://${postgres}`);
  return {
    host: hostname,
    port: Number(port),
    api,
    ended: command.ended,
    kill: async () => {
      command.signal('SIGKILL');
      await command.ended;
    },
    stop: () => {
      command.signal('SIGTERM');
      return command.ended;
    },
  };
}
