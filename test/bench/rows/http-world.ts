import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ledger } from '../check/ledger.ts';
import { SealedRecordings } from '../check/sealed.ts';
import { tsx } from '../load/http-load.ts';
import { startBenchGateway } from '../peers/gateway.ts';
import { scratchFolder } from '../peers/left-behind.ts';
import { type ServerProgram, startServerProgram } from '../peers/server-program.ts';
import type { Settings } from '../settings.ts';
import { untilOver } from './postgres-world.ts';
import type { World } from './row.ts';

export const direct = 'direct';
export const proxy = 'bare undici proxy';
export const sluice = 'Sluice';
const target = 'crm';

export interface HttpPeer {
  readonly who: string;
  readonly origin: string;
  readonly path: string;
  readonly token?: string;
}

/** An API, a proxy that only passes on, and the gateway. */
export interface HttpWorld extends World {
  readonly peers: readonly HttpPeer[];
  readonly ledger: Ledger;
}

export async function openHttpWorld(settings: Settings): Promise<HttpWorld> {
  settings.progress('the API, the proxy and the gateway are started');
  const home = await scratchFolder('http');
  const folder = home.path;
  const api = await startProgram('http-target.ts', [], folder);
  const bare = await startProgram('bare-proxy.ts', [String(api.port)], folder);
  const gateway = await startBenchGateway({
    listen: ['http'],
    targets: [
      {
        name: target,
        connector: 'http',
        address: `127.0.0.1:${api.port}`,
        tls: 'disable',
        credential: { bearer: 'file:token' },
        tags: ['env=bench'],
      },
    ],
    masking: { labels: { 'pii.email': [`${target}.**.email`], 'pii.phone': [`${target}.**.phone`] } },
    files: { token: crypto.randomUUID() },
    ...(settings.cpuProfile === undefined ? {} : { cpuProfile: settings.cpuProfile }),
  });
  const ledger = new Ledger();
  const recordings = new SealedRecordings(gateway.dataDir, ledger);
  const at = gateway.at('http');
  const path = '/v1/customers?limit=20';
  return {
    peers: [
      { who: direct, origin: `http://127.0.0.1:${api.port}`, path },
      { who: proxy, origin: `http://127.0.0.1:${bare.port}`, path },
      {
        who: sluice,
        origin: `http://${at.host}:${at.port}`,
        path: `/t/${target}${path}`,
        token: await gateway.token(),
      },
    ],
    ledger,
    check: async () => {
      await untilOver(gateway);
      return [...(await recordings.take()), ...ledger.settle()];
    },
    recorded: () => ledger.total,
    close: async () => {
      await gateway.stop();
      const faults = [...(await recordings.take()), ...ledger.settle(), ...(await recordings.close())];
      for (const { server } of [bare, api]) await server.kill();
      await gateway.remove();
      await home.remove();
      return faults;
    },
  };
}

async function startProgram(
  name: string,
  args: readonly string[],
  folder: string,
): Promise<{ readonly server: ServerProgram; readonly port: number }> {
  const file = fileURLToPath(new URL(`../peers/${name}`, import.meta.url));
  const server = startServerProgram(process.execPath, ['--import', tsx, file, ...args], {
    cwd: folder,
    log: join(folder, `${name}.log`),
  });
  return { server, port: Number(await server.firstLine()) };
}
