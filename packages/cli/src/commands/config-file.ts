import type { Config } from '@sluice/server/config/config.ts';
import type { Command } from 'commander';

export interface ConfigOption {
  readonly config: string;
}

/** `-c`, the same for every command that reads a configuration. */
export function withConfig(command: Command): Command {
  return command.requiredOption('-c, --config <file>', 'the configuration, like sluice.yaml');
}

/** Rejects with an error that names every problem, its place and the nearest known key. */
export async function loadConfigFile(path: string): Promise<Config> {
  const [{ loadConfig }, { knownConnectors }] = await Promise.all([
    import('@sluice/server/config/load.ts'),
    import('@sluice/server/gateway-connectors.ts'),
  ]);
  return loadConfig(path, { connectors: knownConnectors });
}
