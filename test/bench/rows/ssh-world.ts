import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createTestSshd, findSshd, findSshProgram, makeKey } from '../../harness/sshd.ts';
import { Ledger } from '../check/ledger.ts';
import { SealedRecordings } from '../check/sealed.ts';
import { openConnection, type SshConnection, type SshWay } from '../load/ssh.ts';
import { type BenchGateway, startBenchGateway } from '../peers/gateway.ts';
import { scratchFolder } from '../peers/left-behind.ts';
import type { Settings } from '../settings.ts';
import { untilOver } from './postgres-world.ts';
import type { Skipped, World } from './row.ts';

export const direct = 'OpenSSH direct';
export const sluice = 'Sluice';
const target = 'web';

export interface SshPeer {
  readonly who: string;
  readonly way: SshWay;
}

/** OpenSSH's server and the gateway in front of it. */
export interface SshWorld extends World {
  readonly peers: readonly SshPeer[];
  readonly ledger: Ledger;
  /** A folder that both ends can write to. */
  readonly scratch: string;
  /** Runs something over connections to all peers, in their order, that are open for as long as it takes. */
  connected<Answer>(
    use: (each: readonly { who: string; connection: SshConnection }[]) => Promise<Answer>,
  ): Promise<Answer>;
}

export async function openSshWorld(settings: Settings): Promise<SshWorld | Skipped> {
  for (const program of [findSshd(), findSshProgram('ssh'), findSshProgram('scp')]) {
    if (!program.there) return { skipped: program.reason };
  }
  settings.progress('sshd and the gateway are started');
  const sshd = await createTestSshd();
  const home = await scratchFolder('ssh');
  const scratch = home.path;
  await chmod(scratch, 0o777);
  const gateway = await startBenchGateway({
    listen: ['ssh'],
    targets: [
      {
        name: target,
        connector: 'ssh',
        address: `${sshd.host}:${sshd.port}`,
        host_keys: [sshd.hostKey],
        credential: { username: sshd.user, private_key: 'file:target-key' },
        tags: ['env=bench'],
      },
    ],
    masking: {},
    files: { 'target-key': sshd.privateKey },
    ...(settings.cpuProfile === undefined ? {} : { cpuProfile: settings.cpuProfile }),
  });
  const ledger = new Ledger();
  const recordings = new SealedRecordings(gateway.dataDir, ledger);
  const key = join(scratch, 'direct');
  await writeFile(key, sshd.privateKey, { mode: 0o600 });
  const peers = [
    { who: direct, way: { host: sshd.host, port: sshd.port, user: sshd.user, key, hostKeys: [sshd.hostKey] } },
    { who: sluice, way: await throughGateway(gateway, scratch) },
  ];
  return {
    peers,
    ledger,
    scratch,
    connected: async (use) => {
      const open: { who: string; connection: SshConnection }[] = [];
      try {
        for (const { who, way } of peers) {
          open.push({ who, connection: await openConnection(way, scratch, who === sluice ? 's' : 'd') });
        }
        return await use(open);
      } finally {
        for (const { connection } of open) await connection.close();
      }
    },
    check: async () => {
      await untilOver(gateway);
      return [...(await recordings.take()), ...ledger.settle()];
    },
    recorded: () => ledger.total,
    close: async () => {
      await gateway.stop();
      const faults = [...(await recordings.take()), ...ledger.settle(), ...(await recordings.close())];
      await sshd.stop();
      await gateway.remove();
      await home.remove();
      return faults;
    },
  };
}

/** With a certificate, as `sluice access` gets one. */
async function throughGateway(gateway: BenchGateway, scratch: string): Promise<SshWay> {
  const key = makeKey(scratch, 'through');
  const issued = await gateway.issue(target, (await readFile(`${key}.pub`, 'utf8')).trim());
  await writeFile(`${key}-cert.pub`, `${issued.certificate}\n`);
  return { ...gateway.at('ssh'), user: target, key, hostKeys: issued.gateway_keys ?? [] };
}
