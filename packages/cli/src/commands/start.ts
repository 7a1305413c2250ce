import type { Config } from '@sluice/server/config/config.ts';
import type { Gateway } from '@sluice/server/main.ts';
import type { Command } from 'commander';
import type { Runner } from '../context.ts';
import { aborted } from '../stop-signal.ts';
import { fields } from '../terminal/table.ts';
import { visible } from '../terminal/visible.ts';
import { type ConfigOption, loadConfigFile, withConfig } from './config-file.ts';

export function registerStart(program: Command, runner: Runner): void {
  withConfig(program.command('start').description('run the gateway in the foreground'))
    .addHelpText(
      'after',
      `
Its log goes to standard error, one JSON object per line (SLUICE_LOG_LEVEL: debug, info, warn, error). SIGINT or SIGTERM
ends every session, seals every recording and exits with 0. With --json one line with the addresses is printed once it runs.

Example:
  $ sluice check -c sluice.yaml && sluice start -c sluice.yaml`,
    )
    .action(
      runner.action<ConfigOption>(async ({ output, stopSignal }, _args, options) => {
        const signal = stopSignal();
        const config = await loadConfigFile(options.config);
        const { startGateway } = await import('@sluice/server/main.ts');
        const gateway = await startGateway({ config });
        const addresses = await addressesOf(gateway, config);
        output.answer({ ...addresses, data_dir: config.dataDir }, () => {
          const pairs = [...Object.entries(addresses), ['data', config.dataDir] as const];
          return [
            'Sluice is running.',
            ...fields(
              pairs.map(([name, value]) => [name, visible(value)]),
              output.paint.dim,
            ),
          ];
        });
        await aborted(signal);
        output.note('Stopping …');
        await gateway.stop();
        return undefined;
      }),
    );
}

async function addressesOf({ addresses }: Gateway, config: Config): Promise<Record<string, string>> {
  const { formatHostPort, isLoopbackHost } = await import('@sluice/server/config/host-port.ts');
  const scheme = config.tls && !isLoopbackHost(addresses.api.host) ? 'https' : 'http';
  return {
    api: `${scheme}://${formatHostPort(addresses.api)}`,
    ...(addresses.metrics ? { metrics: `http://${formatHostPort(addresses.metrics)}/metrics` } : {}),
    ...Object.fromEntries(Object.entries(addresses.connectors).map(([id, at]) => [id, formatHostPort(at)])),
  };
}
