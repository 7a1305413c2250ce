import type { DemoOptions } from '@sluice/demo/demo.ts';
import type { Command } from 'commander';
import type { Runner } from '../context.ts';
import { whole } from './arguments.ts';

interface Options {
  readonly dataDir?: string;
  readonly postgresPort?: number;
  readonly sshPort?: number;
  readonly httpPort?: number;
  readonly mcpPort?: number;
  readonly apiPort?: number;
}

export function registerDemo(program: Command, runner: Runner): void {
  program
    .command('demo')
    .description(
      'run a complete Sluice on this machine: things to reach, identity provider, gateway, and lines to paste',
    )
    .option('--data-dir <dir>', 'where it keeps everything (default: .sluice/demo)')
    .option('--postgres-port <port>', 'where PostgreSQL clients connect; 0 takes any free port', whole(0, 65_535))
    .option('--ssh-port <port>', 'where SSH clients connect', whole(0, 65_535))
    .option('--http-port <port>', 'where HTTP clients connect', whole(0, 65_535))
    .option('--mcp-port <port>', 'where MCP clients connect', whole(0, 65_535))
    .option('--api-port <port>', 'where the API listens; 0 takes any free port', whole(0, 65_535))
    .addHelpText(
      'after',
      `
Ctrl-C stops everything that it started. With --json it prints one line once all runs: addresses and tokens.

Examples:
  $ sluice demo
  $ sluice demo --data-dir /tmp/shop --postgres-port 0 --api-port 0 --json`,
    )
    .action(
      runner.action<Options>(async ({ output, stopSignal }, _args, options) => {
        const signal = stopSignal();
        const { runDemo } = await import('@sluice/demo/demo.ts');
        const demo = await runDemo({ ...demoOptions(options), json: output.json, signal }).catch((error: unknown) => {
          // Stopped while it was starting: it was taken back in good order, as asked.
          if (signal.aborted) return undefined;
          throw error;
        });
        await demo?.stopped;
        return undefined;
      }),
    );
}

/** Options are called after what listens: `--api-port` is the port of `api`. */
function demoOptions({ dataDir, ...options }: Options): Pick<DemoOptions, 'dataDir' | 'ports'> {
  const ports = Object.fromEntries(
    Object.entries(options).flatMap(([key, value]) =>
      key.endsWith('Port') && typeof value === 'number' ? [[key.slice(0, -'Port'.length), value]] : [],
    ),
  );
  return { ports, ...(dataDir === undefined ? {} : { dataDir }) };
}
