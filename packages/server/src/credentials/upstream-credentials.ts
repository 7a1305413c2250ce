import type { UpstreamCredential } from '@sluice/core/contract/upstream.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import type { Redacted } from '@sluice/core/domain/redacted.ts';
import type { TargetConfig } from '../config/config.ts';
import type { Secrets } from '../config/secrets.ts';

/** What the gateway logs in with at targets. */
export interface UpstreamCredentials {
  /**
   * Read anew each time, because the file behind it may have been rotated. Rejects with `unknown_target`, or with
   * `upstream_login` when the secret can't be had.
   */
  forTarget(name: string): Promise<UpstreamCredential>;
}

export function createUpstreamCredentials(
  targets: readonly Pick<TargetConfig, 'name' | 'credential'>[],
  source: Secrets,
): UpstreamCredentials {
  const credentials = new Map(targets.map(({ name, credential }) => [name, credential]));
  return {
    async forTarget(name) {
      const credential = credentials.get(name);
      if (!credential) throw new CoreError('unknown_target', 'client', 'There is no such target.');
      const { username } = credential;
      try {
        const secrets: Record<string, Redacted> = {};
        for (const [key, reference] of Object.entries(credential.secrets)) secrets[key] = await source.read(reference);
        return { username, secrets };
      } catch (cause) {
        throw new CoreError('upstream_login', 'gateway', 'The gateway cannot log in to the target.', {
          cause,
          detail: `target ${name}: ${cause instanceof Error ? cause.message : 'its secret can’t be read'}`,
        });
      }
    },
  };
}
