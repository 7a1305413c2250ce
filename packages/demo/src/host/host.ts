/**
 * The demo's build host: what the target `build-host` is. Where OpenSSH's server is installed it answers, else a small
 * server made of a library stands in, and says so. Either way commands really run, in a folder of this machine and with
 * the rights of the demo's account: it is a stage, not a sandbox. It only knows the gateway's key.
 */
import { rmSync } from 'node:fs';
import { chmod, mkdir, rm } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { targetAccount } from '../account/account.ts';
import { homeFor } from '../account/home.ts';
import { furnish, type LoggedOrder } from './furniture.ts';
import { keptHostKeys } from './keys.ts';
import { startOpenSsh } from './openssh.ts';
import { hostAddress, type Premises, type Reachable } from './premises.ts';
import { greetingOf } from './probe.ts';
import { startStandIn } from './stand-in.ts';

export interface HostOptions {
  /** Folder for the keys and, where the account can get there, the host's files; created when absent. */
  readonly dir: string;
  /** What the host's logs are full of. */
  readonly orders: readonly LoggedOrder[];
  /** Called with one line of progress. */
  readonly tell?: (line: string) => void;
  /** Programs to try as OpenSSH's server; by default the usual places. */
  readonly candidates?: readonly string[];
}

export interface RunningHost {
  readonly host: string;
  readonly port: number;
  /** What the gateway logs in as. */
  readonly user: string;
  /** File with the private key that the host knows, mode 0600. */
  readonly keyFile: string;
  /** OpenSSH public-key lines. */
  readonly hostKeys: readonly string[];
  /** How the server introduced itself, such as `OpenSSH_9.2`. */
  readonly server: string;
  /** Why it is no OpenSSH; absent when it is. */
  readonly standIn?: string;
  /** The account of this machine that its commands run as. */
  readonly runsAs: string;
  /** Where its commands start: for checks from outside the gateway. */
  readonly folder: string;
  /** The key that somebody let into a log. */
  readonly leakedKey: string;
  stop(): Promise<void>;
  /** Stops and removes the files, wherever they lie. */
  remove(): Promise<void>;
  /** The same at once, for the exit of the process. */
  removeNow(): void;
}

export async function startHost(options: HostOptions): Promise<RunningHost> {
  const account = await targetAccount();
  await mkdir(options.dir, { recursive: true });
  await chmod(options.dir, account.ids.uid === undefined ? 0o700 : 0o711);
  const folder = await homeFor(account, options.dir, 'files');
  const { leakedKey } = await furnish(folder, account, options.orders);
  const keys = await keptHostKeys(options.dir);
  const premises: Premises = { dir: options.dir, folder, account, keys };
  const { reachable, standIn } = await reach(premises, options);
  const server = await greetingOf(hostAddress, reachable.port);
  return {
    host: hostAddress,
    port: reachable.port,
    user: reachable.user,
    keyFile: keys.clientKeyFile,
    hostKeys: [keys.hostPublicKey],
    server,
    ...(standIn === undefined ? {} : { standIn }),
    runsAs: account.ids.uid === undefined ? userInfo().username : account.name,
    folder,
    leakedKey,
    stop: () => reachable.stop(),
    async remove() {
      await reachable.stop();
      await rm(folder, { recursive: true, force: true });
    },
    removeNow() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function reach(premises: Premises, options: HostOptions): Promise<{ reachable: Reachable; standIn?: string }> {
  const openSsh = await startOpenSsh(premises, options.candidates);
  if (typeof openSsh !== 'string') return { reachable: openSsh };
  options.tell?.(`build-host: ${openSsh}; a stand-in made of the ssh2 library answers instead`);
  return { reachable: await startStandIn(premises), standIn: openSsh };
}
