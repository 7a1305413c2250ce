import type { Command } from 'commander';
import type { Runner } from '../context.ts';

interface Options {
  readonly dataDir?: string;
}

export function registerTour(program: Command, runner: Runner): void {
  program
    .command('tour')
    .description('watch an agent work through Sluice, from its first read to the proof of what happened')
    .option('--data-dir <dir>', 'keep everything here afterwards (default: a temporary directory that is removed)')
    .addHelpText(
      'after',
      '\nExit code 0 means that every step did what it says. With --json it prints one line per step.',
    )
    .action(
      runner.action<Options>(async ({ output, stopSignal }, _args, options) => {
        const signal = stopSignal();
        const { runTour } = await import('@sluice/demo/tour.ts');
        return (await runTour({ ...options, json: output.json, signal })) === 0 ? undefined : 'failure';
      }),
    );
}
