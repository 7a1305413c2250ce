import type { UpstreamSocket } from '@sluice/core/contract/link.ts';
import type { UpstreamAccess, UpstreamCredential } from '@sluice/core/contract/upstream.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import type { TargetConfig } from './config/config.ts';
import { processEnvironment, searchPath } from './config/environment.ts';
import { formatHostPort } from './config/host-port.ts';
import type { UpstreamCredentials } from './credentials/upstream-credentials.ts';
import { dialSocket } from './network/dial.ts';
import { startProgram } from './network/program.ts';

/** Opens a socket to a target by name, or starts its program, with what its connector needs to log in on it. */
export function targetDial(
  targets: ReadonlyMap<string, TargetConfig>,
  credentials: UpstreamCredentials,
): (name: string) => Promise<UpstreamAccess> {
  return async (name) => {
    const target = targets.get(name);
    if (!target) throw new CoreError('unknown_target', 'client', `There is no target "${name}" on this gateway.`);
    const [credential, socket] = await reach(target, credentials.forTarget(name));
    const access = { socket, tls: target.tls.mode, credential, settings: target.settings };
    return target.address ? { ...access, address: formatHostPort(target.address) } : access;
  };
}

type Reached = readonly [UpstreamCredential, UpstreamSocket];

async function reach(target: TargetConfig, fetched: Promise<UpstreamCredential>): Promise<Reached> {
  if (target.address) return both(fetched, dialSocket(target.name, { ...target.address, tls: target.tls }));
  const credential = await fetched;
  if (target.command) {
    const path = searchPath(processEnvironment());
    return [credential, await startProgram(target.name, target.command, credential.secrets, path)];
  }
  throw new Error(`target ${target.name} has neither an address nor a command`);
}

/** The socket opens while the secret is read. Where there is no secret, that is what is wrong, and no socket stays open. */
async function both(fetched: Promise<UpstreamCredential>, dialled: Promise<UpstreamSocket>): Promise<Reached> {
  const opened = dialled.then(
    (socket) => ({ socket }),
    (error: unknown) => ({ error }),
  );
  let credential: UpstreamCredential;
  try {
    credential = await fetched;
  } catch (error) {
    void opened.then((reached) => 'socket' in reached && reached.socket.destroy());
    throw error;
  }
  const reached = await opened;
  if ('error' in reached) throw reached.error;
  return [credential, reached.socket];
}
