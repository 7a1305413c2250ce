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
    const credential = await credentials.forTarget(name);
    const socket = await reach(target, credential);
    const access = { socket, tls: target.tls.mode, credential, settings: target.settings };
    return target.address ? { ...access, address: formatHostPort(target.address) } : access;
  };
}

function reach(target: TargetConfig, { secrets }: UpstreamCredential): Promise<UpstreamSocket> {
  if (target.address) return dialSocket(target.name, { ...target.address, tls: target.tls });
  if (target.command) return startProgram(target.name, target.command, secrets, searchPath(processEnvironment()));
  throw new Error(`target ${target.name} has neither an address nor a command`);
}
