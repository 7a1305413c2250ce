import type { UpstreamAccess } from '@sluice/core/contract/upstream.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import type { TargetConfig } from './config/config.ts';
import type { UpstreamCredentials } from './credentials/upstream-credentials.ts';
import { dialSocket } from './network/dial.ts';

/** Opens a socket to a target by name, with what its connector needs to log in on it. */
export function targetDial(
  targets: ReadonlyMap<string, TargetConfig>,
  credentials: UpstreamCredentials,
): (name: string) => Promise<UpstreamAccess> {
  return async (name) => {
    const target = targets.get(name);
    if (!target) throw new CoreError('unknown_target', 'client', `There is no target "${name}" on this gateway.`);
    const credential = await credentials.forTarget(name);
    const socket = await dialSocket(name, { ...target.address, tls: target.tls });
    return { socket, tls: target.tls.mode, credential, settings: target.settings };
  };
}
